import { tenantIdPattern } from '@tallystick/event';
import { ServerError } from '../errors.ts';

/**
 * The one door to Postgres, real or embedded. A transaction runs in a role of its own:
 *
 * - `writer` extends chains and keeps the service's books; it sees every tenant.
 * - `reader` sees the tenants named for the transaction, by row-level security, and writes nothing.
 */
export type Access =
  | { readonly role: 'writer' }
  | { readonly role: 'reader'; readonly tenants: readonly string[] };

/** Access as the writer; see {@link Access}. */
export const writer: Access = Object.freeze({ role: 'writer' });

/** A row of a result: columns by name. `bigint` columns arrive as numbers, `bytea` as bytes, times as `Date`. */
export type Row = { readonly [column: string]: unknown };

/**
 * A statement and its parameters.
 *
 * @typeParam R its rows; a claim of whoever writes the statement, as with {@link Queries.query}
 */
export interface Statement<R extends object = Row> {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** Parsed and planned once a connection under this name, which stands for one text. For what every batch asks. */
  readonly name?: string;
  /** Of the type alone: never there. */
  readonly rows?: readonly R[];
}

/** Rows of each of these statements. */
export type RowsOf<S extends readonly Statement<object>[]> = {
  -readonly [K in keyof S]: S[K] extends Statement<infer R> ? R[] : never;
};

/** Whatever statements can be put to: a transaction, or a connection of the owner's. */
export interface Queries {
  /** Runs one statement; its rows are what whoever writes it says they are. */
  query<R extends object = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]>;
}

/** One transaction of it. */
export interface Session extends Queries {
  /** Runs these in order, in one round trip: after the first that fails none is run. */
  pipeline<const S extends readonly Statement<object>[]>(...statements: S): Promise<RowsOf<S>>;
  /**
   * Streams rows in COPY's text format. Chunks are pulled one at a time while the server works on those before, so
   * that a generator which computes them overlaps with the database.
   *
   * @param statement `copy … from stdin`
   * @param around run in the same round trip
   */
  copy(statement: string, chunks: Iterable<string>, around?: Around): Promise<void>;
}

/** What is run with a COPY, and like it not at all once something has failed. */
export interface Around {
  readonly before?: readonly Statement[];
  /** Called when the last chunk has been pulled. */
  readonly after?: () => readonly Statement[];
}

/** A store, embedded or a server, for those who speak SQL to it. */
export interface Database {
  readonly kind: 'pglite' | 'postgres';
  /**
   * Runs `work` in one read-committed transaction. MUST commit before the promise resolves, and MUST leave nothing
   * behind where it rejects: a crash at any moment leaves all of it or none. The one exception is a commit whose answer
   * did not come (`STORE_UNAVAILABLE` with `details.outcome` `unknown`): then it is all or nothing, and nobody can say
   * which. MUST end in bounded time where the store is silent.
   */
  transaction<T>(access: Access, work: (session: Session) => Promise<T>): Promise<T>;
  /** Runs one query in a transaction of its own. */
  query<R extends object = Row>(access: Access, sql: string, parameters?: readonly unknown[]): Promise<R[]>;
  /** Waits for what is running, then closes every connection. */
  close(): Promise<void>;
}

/** The SQLSTATE of an error that the database raised, or `undefined`. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  // Every SQLSTATE of Postgres holds a digit; EPIPE, of the operating system, has five capitals and none.
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * The tenants of a reader as row-level security takes them: one text, commas between them. So a name must not hold a
 * comma, nor anything else that no tenant's name holds.
 *
 * @throws {ServerError} `PARAMETER_INVALID`
 */
function tenantsSetting(tenants: readonly string[]): string {
  for (const tenant of tenants) {
    if (!tenantIdPattern.test(tenant)) {
      throw new ServerError('PARAMETER_INVALID', 'no tenant can have such a name');
    }
  }
  return tenants.join(',');
}

/** Settings of every transaction: each of those in ms bounds what a frozen peer can cost the others. */
export function transactionSettings(access: Access, timeouts: Timeouts): Statement {
  const settings = {
    role: access.role === 'writer' ? 'tally_writer' : 'tally_reader',
    lock_timeout: String(timeouts.lockMs),
    idle_in_transaction_session_timeout: String(timeouts.idleInTransactionMs),
    ...(access.role === 'reader' && { 'tallystick.tenants': tenantsSetting(access.tenants) }),
  };
  const calls = Object.keys(settings).map((name, index) => `set_config('${name}', $${index + 1}, true)`);
  return {
    name: `tally_${access.role}`,
    text: `select ${calls.join(', ')}`,
    values: Object.values(settings),
  };
}

export interface Timeouts {
  /** How long to wait for a lock, ms. @defaultValue 3000 */
  readonly lockMs: number;
  /** How long a client may sit in an open transaction without a statement, ms. @defaultValue 5000 */
  readonly idleInTransactionMs: number;
  /** How long to wait for a connection, and for the first answer on one, ms. @defaultValue 5000 */
  readonly connectMs: number;
  /**
   * How long the server may be silent during a statement, a commit or a COPY that makes no progress, ms; then the
   * connection is given up. More than {@link lockMs}. @defaultValue 30000
   */
  readonly answerMs: number;
  /** How long a transaction may hold a lock that another waits for, even while it is at work, ms. @defaultValue 60000 */
  readonly holdMs: number;
}

export const defaultTimeouts: Timeouts = Object.freeze({
  lockMs: 3_000,
  idleInTransactionMs: 5_000,
  connectMs: 5_000,
  answerMs: 30_000,
  holdMs: 60_000,
});

/** A session that was ended because others waited for a lock it would not give up. */
export interface Eviction {
  /** Of the session's backend. */
  readonly pid: number;
  /** It waited for a client that said nothing, or it held the lock for too long. */
  readonly reason: 'frozen' | 'too_long';
}
