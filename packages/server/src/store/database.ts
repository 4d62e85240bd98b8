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

export const writer: Access = Object.freeze({ role: 'writer' });

/** A row of a result: columns by name. `bigint` columns arrive as numbers, `bytea` as bytes, times as `Date`. */
export type Row = { readonly [column: string]: unknown };

export interface Session {
  query<R extends object = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]>;
  /**
   * Streams rows in COPY's text format. Chunks are pulled one at a time while the server works on those before, so
   * that a generator which computes them overlaps with the database.
   *
   * @param statement `copy … from stdin`
   */
  copy(statement: string, chunks: Iterable<string>): Promise<void>;
}

export interface Database {
  readonly kind: 'pglite' | 'postgres';
  /**
   * Runs `work` in one read-committed transaction. MUST commit before the promise resolves, and MUST leave nothing
   * behind where it rejects: a crash at any moment leaves all of it or none.
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
export function tenantsSetting(tenants: readonly string[]): string {
  for (const tenant of tenants) {
    if (!tenantIdPattern.test(tenant)) {
      throw new ServerError('PARAMETER_INVALID', 'no tenant can have such a name');
    }
  }
  return tenants.join(',');
}

/** Settings of every transaction, one statement: each line bounds what a frozen peer can cost the others. */
export function transactionSettings(access: Access, timeouts: Timeouts): string {
  const role = access.role === 'writer' ? 'tally_writer' : 'tally_reader';
  return [
    'begin isolation level read committed',
    `set local role ${role}`,
    `set local lock_timeout = ${timeouts.lockMs}`,
    `set local idle_in_transaction_session_timeout = ${timeouts.idleInTransactionMs}`,
  ].join(';');
}

export interface Timeouts {
  /** How long to wait for a lock, ms. @defaultValue 3000 */
  readonly lockMs: number;
  /** How long a client may sit in an open transaction without a statement, ms. @defaultValue 5000 */
  readonly idleInTransactionMs: number;
}

export const defaultTimeouts: Timeouts = Object.freeze({ lockMs: 3_000, idleInTransactionMs: 5_000 });
