import { type Database, writer } from './database.ts';

/** The partition that holds the records of this time. There is one per month (UTC). */
export function partitionOf(ms: number): string {
  const date = new Date(ms);
  return `audit_records_y${date.getUTCFullYear()}m${String(date.getUTCMonth() + 1).padStart(2, '0')}`;
}

/** Start of the month (UTC) of a time, ms since the epoch. */
export function monthStart(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/**
 * Creates the partitions of the coming months.
 *
 * A crash leaves some of them created; the next call creates the others.
 *
 * @returns how many it has created
 */
export async function ensurePartitions(database: Database): Promise<number> {
  const [row] = await database.query<{ made: number }>(writer, 'select tally_ensure_partitions() as made');
  return row!.made;
}

/** Creates partitions ahead of time while the service runs. The timer does not keep the process alive. */
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
