import { parseTimestamp, uuidPattern } from '@tallystick/event';
import type { DeadLetterInfo, DeadLetterState } from '@tallystick/protocol';
import * as z from 'zod';
import { placeOfMessage } from '../chain/source-position.ts';
import { ServerError } from '../errors.ts';
import { type Database, writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { timeText } from '../store/time-text.ts';
import { decodeCursor, encodeCursor } from '../trail/cursor.ts';

const listDeadLetters = readSql('list-dead-letters');
const getDeadLetter = readSql('get-dead-letter');

/** The time, with microseconds, and the id of the last dead letter on the page before. */
const place = z.tuple([
  z.string().refine((time) => /\.\d{6}Z$/.test(time) && !Number.isNaN(parseTimestamp(time))),
  z.string().regex(uuidPattern),
]);

/** Which dead letters to list. */
export interface DeadLetterQuery {
  readonly state: DeadLetterState;
  /** Only dead letters of these tenants. All where absent, also those without a tenant. */
  readonly tenants: readonly string[] | undefined;
  readonly reason?: string | undefined;
  /** Only dead letters of messages of this topic. */
  readonly topic?: string | undefined;
  /** Only dead letters that were last delivered before this time, RFC 3339. */
  readonly before?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

type Row = Omit<DeadLetterInfo, 'settled_at' | 'topic' | 'partition' | 'offset'> & {
  readonly settled_at: Date | null;
};

/** A dead letter with its bytes. */
export interface StoredDeadLetter {
  readonly info: DeadLetterInfo;
  readonly raw: Uint8Array;
  /** Tenant of the chain that has its record; null for a dead letter without one. */
  readonly chain: string | null;
}

/** Reads dead letters. */
export class DeadLetters {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * A page of dead letters, oldest first.
   *
   * @throws {ServerError} `PARAMETER_INVALID` for a cursor of another request
   */
  async list(
    query: DeadLetterQuery,
  ): Promise<{ readonly deadLetters: readonly DeadLetterInfo[]; readonly nextCursor: string | undefined }> {
    const { state, tenants, reason, topic, before, limit, cursor } = query;
    const question = ['dead-letters', state, tenants ?? null, reason ?? null, topic ?? null, before ?? null];
    const [time, id] = cursor === undefined ? [null, null] : decodeCursor(cursor, question, place);
    const rows = await this.#database.query<Row>(writer, listDeadLetters, [
      state,
      tenants === undefined ? null : [...tenants],
      reason ?? null,
      topic ?? null,
      before ?? null,
      time,
      id,
      limit + 1,
    ]);
    const page = rows.slice(0, limit).map(toInfo);
    const last = page.at(-1);
    const more = rows.length > limit && last !== undefined;
    return {
      deadLetters: page,
      nextCursor: more ? encodeCursor(question, [last.first_seen_at, last.id]) : undefined,
    };
  }

  /**
   * One dead letter, with the bytes that were received.
   *
   * @throws {ServerError} `NOT_FOUND`, also for a dead letter of another tenant
   */
  async get(id: string, tenants: readonly string[] | undefined): Promise<StoredDeadLetter> {
    type Stored = Row & Pick<StoredDeadLetter, 'raw' | 'chain'>;
    const [row] = await this.#database.query<Stored>(writer, getDeadLetter, [
      id,
      tenants === undefined ? null : [...tenants],
    ]);
    if (row === undefined) throw new ServerError('NOT_FOUND', 'no such dead letter');
    const { raw, chain, ...info } = row;
    return { info: toInfo(info), raw: new Uint8Array(raw), chain };
  }
}

function toInfo(row: Row): DeadLetterInfo {
  const { source, ...rest } = row;
  const message = placeOfMessage(source);
  return {
    ...rest,
    source,
    topic: message?.topic ?? null,
    partition: message?.partition ?? null,
    offset: message?.offset ?? null,
    settled_at: row.settled_at === null ? null : timeText(row.settled_at),
  };
}
