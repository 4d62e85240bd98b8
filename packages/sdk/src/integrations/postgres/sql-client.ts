import { invalidConfig } from '../../configuration.ts';

/**
 * What is used of a connection to PostgreSQL: the method `query` of a `Client`, `PoolClient` or `Pool` of `pg`, and of PGlite.
 * Declared here, so that no driver need be installed. `drizzleClient` gives one for a transaction of Drizzle.
 */
export interface SqlClient {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** The rows of a statement. The statement, and not the driver, decides which columns they have. */
export async function rowsOf<R>(
  client: SqlClient,
  text: string,
  values: readonly unknown[],
): Promise<readonly R[]> {
  const { rows } = await client.query(text, [...values]);
  return rows as readonly R[];
}

/** An identifier in double quotes, so that a name can't become part of the statement. */
export function quoteName(name: string): string {
  // PostgreSQL cuts a longer name, which would then be the name of another object.
  if (typeof name !== 'string' || name === '' || name.includes('\0') || name.length > 63) {
    throw invalidConfig('a name in the database must be a text of 1 to 63 characters');
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** The name of a table, in a schema or in the first schema of `search_path` that has it. */
export function qualifiedName(table: string, schema: string | undefined): string {
  return schema === undefined ? quoteName(table) : `${quoteName(schema)}.${quoteName(table)}`;
}
