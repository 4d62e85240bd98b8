import pg from 'pg';
import { ServerError } from '../errors.ts';
import { unreachable } from './connection-fault.ts';
import type { Database, Queries, Row } from './database.ts';
import { PgliteDatabase } from './pglite/pglite.ts';
import { sessionSettingsSql } from './session-settings.ts';

/** Runs `work` in one transaction with the rights of the database's owner, which the service does not have. */
export type OwnerAccess = <T>(work: (session: Queries) => Promise<T>) => Promise<T>;

/**
 * @param ownerUrl URL of the login that owns the tables. The user of an embedded store is its owner and needs none
 * @throws {ServerError} `CONFIG_INVALID` for a PostgreSQL server without a URL. The function that is returned throws
 *   `STORE_UNAVAILABLE` if it gets no connection
 */
export function ownerAccess(database: Database, ownerUrl: string | undefined): OwnerAccess {
  if (database instanceof PgliteDatabase) return (work) => database.asOwner(work);
  if (ownerUrl === undefined) {
    throw new ServerError('CONFIG_INVALID', 'name the login of the owner of the database');
  }
  return async (work) => {
    const client = new pg.Client({ connectionString: ownerUrl, application_name: 'tallystick-owner' });
    try {
      await client.connect();
    } catch (cause) {
      throw unreachable(cause, ownerUrl);
    }
    try {
      await client.query('begin');
      await client.query(sessionSettingsSql);
      const result = await work({
        query: async <R extends object = Row>(sql: string, parameters?: readonly unknown[]) =>
          (await client.query(sql, parameters as unknown[] | undefined)).rows as R[],
      });
      await client.query('commit');
      return result;
    } finally {
      // Before the commit, this rolls the transaction back.
      await client.end();
    }
  };
}
