import pg from 'pg';
import { ServerError } from '../errors.ts';
import type { Database, Queries, Row } from './database.ts';
import { PgliteDatabase } from './pglite/pglite.ts';

/** Runs `work` in one transaction with the rights of the database's owner, which the service does not have. */
export type OwnerAccess = <T>(work: (session: Queries) => Promise<T>) => Promise<T>;

/**
 * @param ownerUrl URL of the login that owns the tables. The user of an embedded store is its owner and needs none
 * @throws {ServerError} `CONFIG_INVALID` for a PostgreSQL server without a URL
 */
export function ownerAccess(database: Database, ownerUrl: string | undefined): OwnerAccess {
  if (database instanceof PgliteDatabase) return (work) => database.asOwner(work);
  if (ownerUrl === undefined) {
    throw new ServerError('CONFIG_INVALID', 'name the login of the owner of the database');
  }
  return async (work) => {
    const client = new pg.Client({ connectionString: ownerUrl, application_name: 'tallystick-owner' });
    await client.connect();
    try {
      await client.query('begin');
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
