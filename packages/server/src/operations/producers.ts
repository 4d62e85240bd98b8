import { tenantIdPattern, uuidPattern } from '@tallystick/event';
import type { ProducerAccount, ProducerState } from '@tallystick/protocol';
import * as z from 'zod';
import { isStorable } from '../input/storable.ts';
import { type Database, writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { timeText } from '../store/time-text.ts';
import { decodeCursor, encodeCursor } from '../trail/cursor.ts';

const listProducers = readSql('list-producers');
const producerTotals = readSql('producer-totals');

/** Submitter, producer and tenant of the last account on the page before. */
const place = z.tuple([
  z.string().refine(isStorable),
  z.string().regex(uuidPattern),
  z.string().regex(tenantIdPattern),
]);

/** Which accounts of producers to list. */
export interface ProducerQuery {
  /** Only accounts of these tenants; all where absent. */
  readonly tenants: readonly string[] | undefined;
  /** Also accounts that are closed or whose producer is running. */
  readonly all: boolean;
  /** A producer that has been silent for this long counts as ended, seconds. */
  readonly silentSeconds: number;
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Only accounts of these producers; all where absent. */
  readonly producerIds?: readonly string[] | undefined;
  /** Only producers that have been silent for `silentSeconds`, also those with open numbers. */
  readonly silentOnly?: boolean | undefined;
  /** Of these, only accounts in this state. */
  readonly state?: ProducerState | undefined;
}

/**
 * A producer that has been silent for this long counts as ended, seconds. A running producer without events still reports
 * more often.
 */
export const defaultSilentSeconds = 3_600;

/** A page of accounts: the open and the unclosed ones, unless the query asks for all. */
export async function producerPage(
  database: Database,
  query: ProducerQuery,
): Promise<{ readonly producers: readonly ProducerAccount[]; readonly nextCursor: string | undefined }> {
  const after =
    query.cursor === undefined ? [null, null, null] : decodeCursor(query.cursor, ['producers'], place);
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
    query.state ?? null,
  ]);
  const producers = rows.slice(0, query.limit).map((row) => ({
    ...row,
    first_seen_at: timeText(row.first_seen_at),
    last_seen_at: timeText(row.last_seen_at),
  }));
  const last = producers.at(-1);
  const nextCursor =
    last === undefined || rows.length <= query.limit
      ? undefined
      : encodeCursor(['producers'], [last.submitter, last.producer_id, last.tenant_id]);
  return { producers, nextCursor };
}

/** Sums over all tenants: open numbers, and accounts of silent producers without a final number. */
export async function producerSums(
  database: Database,
): Promise<{ readonly openNumbers: number; readonly unclosed: number }> {
  const [row] = await database.query<{ open_numbers: number; unclosed: number }>(writer, producerTotals, [
    defaultSilentSeconds,
  ]);
  return { openNumbers: row!.open_numbers, unclosed: row!.unclosed };
}
