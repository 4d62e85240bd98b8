import { tenantIdPattern } from '@tallystick/event';
import { ServerError } from '../errors.ts';

/**
 * How a transaction accesses Postgres, whether a server or embedded. Each transaction runs with the rights of one role:
 *
 * - `writer` extends chains and keeps the service's books; it sees every tenant.
 * - `reader` sees the tenants that the transaction names, by row-level security, and writes nothing.
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
 * @typeParam R its rows. The author of the statement asserts this type; nothing checks it.
 */
export interface Statement<R extends object = Row> {
  readonly text: string;
  readonly values?: readonly unknown[];
  /**
   * A unique name of this text. The server then parses and plans it once per connection. For statements that every batch
   * uses.
   */
  readonly name?: string;
  /** Carries the type `R`; never set. */
  readonly rows?: readonly R[];
}

/** Rows of each of these statements. */
export type RowsOf<S extends readonly Statement<object>[]> = {
  -readonly [K in keyof S]: S[K] extends Statement<infer R> ? R[] : never;
};

/** Runs single statements: a transaction, or a connection of the database's owner. */
export interface Queries {
  /** Runs one statement. The caller asserts the type of its rows. */
  query<R extends object = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]>;
}

/** One transaction of a {@link Database}. */
export interface Session extends Queries {
  /** Runs these in order, in one round trip. No statement after the first one that fails is run. */
  pipeline<const S extends readonly Statement<object>[]>(...statements: S): Promise<RowsOf<S>>;
  /**
   * Starts to store rows in COPY's text format. Statements before it, the COPY, its rows and the statements after it are
   * one round trip, and nothing after the first failure is run.
   *
   * Call `finish` before the session's next statement. A COPY that is not finished fails the transaction.
   *
   * @param copy `copy … from stdin`
   * @param before run before the rows are stored
   */
  beginCopy(copy: string, before?: readonly Statement[]): CopyIn;
}

/** A COPY that takes rows; see {@link Session.beginCopy}. */
export interface CopyIn {
  /**
   * Hands rows over. Resolves when the caller should compute the next rows: at once while the connection has room, so
   * that computing them overlaps with the work of the database.
   *
   * @returns false once the server has refused a row; further rows are ignored then
   */
  write(rows: string): Promise<boolean>;
  /**
   * Ends the COPY and waits until everything has been run.
   *
   * @param after run after the rows are stored
   * @throws every error but a unique violation, which is a result
   */
  finish(after?: readonly Statement[]): Promise<CopyResult>;
}

/** What came of a COPY. After `duplicate` the transaction has failed up to its last savepoint. */
export type CopyResult =
  | { readonly status: 'stored' }
  /** A unique index held a key already. `error` names the index. */
  | { readonly status: 'duplicate'; readonly error: Error };

/** Awaits a COPY and returns a unique violation as a result. */
export async function uniqueViolationAsResult(copied: Promise<unknown>): Promise<CopyResult> {
  try {
    await copied;
    return { status: 'stored' };
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    return { status: 'duplicate', error: error as Error };
  }
}

/** Thrown at the end of a transaction that has begun a COPY and has not finished it: a mistake of its author. */
export function copyUnfinished(): Error {
  return new Error('the transaction ended before its COPY was finished');
}

/** A Postgres database, embedded or on a server. */
export interface Database {
  readonly kind: 'pglite' | 'postgres';
  /**
   * Runs `work` in one read-committed transaction. MUST commit before the promise resolves, and MUST leave nothing
   * behind when the promise rejects: a crash at any moment leaves all of it or none. The one exception is a commit whose
   * answer did not arrive (`STORE_UNAVAILABLE` with `details.outcome` `unknown`): the transaction is stored completely
   * or not at all, and the caller cannot know which. MUST end in bounded time when the store does not answer.
   */
  transaction<T>(access: Access, work: (session: Session) => Promise<T>): Promise<T>;
  /**
   * Runs statements that only read, in one transaction and, on a server, in one round trip. Otherwise as {@link transaction}.
   */
  read<const S extends readonly Statement<object>[]>(access: Access, ...statements: S): Promise<RowsOf<S>>;
  /** Runs one query in a transaction of its own. */
  query<R extends object = Row>(access: Access, sql: string, parameters?: readonly unknown[]): Promise<R[]>;
  /** Waits for running transactions, then closes every connection. */
  close(): Promise<void>;
}

/** The SQLSTATE of an error that the database raised, or `undefined`. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  // Every SQLSTATE of Postgres contains a digit. EPIPE, a code of the operating system, has five capitals and no digit.
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * The tenants of a reader in the form that row-level security reads: one text, separated by commas. So a name must not
 * contain a comma, or any other character that the name of a tenant cannot have.
 *
 * @throws {ServerError} `PARAMETER_INVALID`
 */
function tenantsSetting(tenants: readonly string[]): string {
  for (const tenant of tenants) {
    if (!tenantIdPattern.test(tenant)) {
      throw new ServerError('PARAMETER_INVALID', `${JSON.stringify(tenant)} is not a valid tenant id`);
    }
  }
  return tenants.join(',');
}

/** Sets role and time limits of a transaction. The limits bound how long a frozen client can hold up others. */
export function transactionSettings(
  access: Access,
  timeouts: Timeouts,
  roles: { readonly [role in Access['role']]: string },
): Statement {
  const settings = {
    role: roles[access.role],
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

/**
 * Makes the server plan each of the named statements after it once, for all values. A plan for the values of one call takes longer than many a
 * statement, because the planner looks at every index of every partition.
 */
export const plannedOnce: Statement = planCacheMode('force_generic_plan');
/** Ends {@link plannedOnce} within a transaction. */
export const plannedByValues: Statement = planCacheMode('auto');

function planCacheMode(mode: string): Statement {
  return { name: `tally_${mode}`, text: `select set_config('plan_cache_mode', '${mode}', true)` };
}

export interface Timeouts {
  /** How long to wait for a lock, ms. @defaultValue 3000 */
  readonly lockMs: number;
  /** How long a client may keep a transaction open without running a statement, ms. @defaultValue 5000 */
  readonly idleInTransactionMs: number;
  /** How long to wait for a connection, and for the first answer on one, ms. @defaultValue 5000 */
  readonly connectMs: number;
  /**
   * How long the server may be silent during a statement, a commit or a COPY that makes no progress, ms. Then the
   * connection is closed. Must be more than {@link lockMs}. @defaultValue 30000
   */
  readonly answerMs: number;
  /** How long a transaction may hold a lock that another one waits for, even if it makes progress, ms. @defaultValue 60000 */
  readonly holdMs: number;
}

export const defaultTimeouts: Timeouts = Object.freeze({
  lockMs: 3_000,
  idleInTransactionMs: 5_000,
  connectMs: 5_000,
  answerMs: 30_000,
  holdMs: 60_000,
});

/** A session that was terminated because it held a lock that others waited for. */
export interface Eviction {
  /** Process id of the session's backend. */
  readonly pid: number;
  /** `frozen`: the server waited for the session's client, which sent nothing. `too_long`: it held the lock too long. */
  readonly reason: 'frozen' | 'too_long';
}
