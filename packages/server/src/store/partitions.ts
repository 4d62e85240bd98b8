import { type Database, writer } from './database.ts';

/** The partition that records of this time belong to: months are those of UTC. */
export function partitionOf(ms: number): string {
  const date = new Date(ms);
  return `audit_records_y${date.getUTCFullYear()}m${String(date.getUTCMonth() + 1).padStart(2, '0')}`;
}

/** Start of the month (UTC) that a time lies in, ms since the epoch. */
export function monthStart(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/** Makes partitions ahead. A crash here leaves some of them made, which the next call finds. */
export async function ensurePartitions(database: Database): Promise<number> {
  const [row] = await database.query<{ made: number }>(writer, 'select tally_ensure_partitions() as made');
  return row!.made;
}

/** Keeps partitions made ahead for as long as the service runs; the timer keeps no process alive. */
export function keepPartitionsAhead(
  database: Database,
  onError: (error: unknown) => void,
  intervalMs: number = 6 * 60 * 60 * 1000,
): { stop(): void } {
  const timer = setInterval(() => {
    ensurePartitions(database).catch(onError);
  }, intervalMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
