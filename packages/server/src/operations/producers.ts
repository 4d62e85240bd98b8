import type { ProducerAccount } from '@tallystick/protocol';
import { type Database, writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { decodeCursor, encodeCursor, invalidCursor } from '../trail/cursor.ts';

const listProducers = readSql('list-producers');
const producerTotals = readSql('producer-totals');

export interface ProducerQuery {
  /** Only these; every one where absent. */
  readonly tenants: readonly string[] | undefined;
  /** Those that are closed or running too. */
  readonly all: boolean;
  /** How long a producer may be silent before it counts as ended, seconds. */
  readonly silentSeconds: number;
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Only these; every one where absent. */
  readonly producerIds?: readonly string[] | undefined;
  /** Only those that have been silent for that long, those with open numbers too. */
  readonly silentOnly?: boolean | undefined;
}

/** How long a producer may be silent before it counts as ended, seconds: longer than one without events sends none. */
export const defaultSilentSeconds = 3_600;

/** Accounts of producers, those that want attention unless told otherwise. */
export async function producerPage(
  database: Database,
  query: ProducerQuery,
): Promise<{ readonly producers: readonly ProducerAccount[]; readonly nextCursor: string | undefined }> {
  const after = query.cursor === undefined ? [null, null, null] : decodeCursor(query.cursor, ['producers']);
  if (after.length !== 3) throw invalidCursor('is not one of this service');
  const rows = await database.query<
    Omit<ProducerAccount, 'first_seen_at' | 'last_seen_at'> & { first_seen_at: Date; last_seen_at: Date }
  >(writer, listProducers, [
    query.tenants === undefined ? null : [...query.tenants],
    ...after,
    query.all,
    query.silentSeconds,
    query.limit + 1,
    query.producerIds === undefined ? null : [...query.producerIds],
    query.silentOnly ?? false,
  ]);
  const producers = rows.slice(0, query.limit).map((row) => ({
    ...row,
    first_seen_at: row.first_seen_at.toISOString(),
    last_seen_at: row.last_seen_at.toISOString(),
  }));
  const last = producers.at(-1);
  const nextCursor =
    last === undefined || rows.length <= query.limit
      ? undefined
      : encodeCursor(['producers'], [last.submitter, last.producer_id, last.tenant_id]);
  return { producers, nextCursor };
}

/** Over all tenants: numbers that are open, and producers that went away without a word. */
export async function producerSums(
  database: Database,
): Promise<{ readonly openNumbers: number; readonly unclosed: number }> {
  const [row] = await database.query<{ open_numbers: number; unclosed: number }>(writer, producerTotals, [
    defaultSilentSeconds,
  ]);
  return { openNumbers: row!.open_numbers, unclosed: row!.unclosed };
}
