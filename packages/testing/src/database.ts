import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface Database {
  readonly name: string;
  /** Connects as the superuser. */
  readonly url: string;
}

/** Creates an empty database on the server at `adminUrl`. @param name a random name by default */
export async function createDatabase(
  adminUrl: string,
  name = `t_${randomBytes(8).toString('hex')}`,
): Promise<Database> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(`create database ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  const url = new URL(adminUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return { name, url: url.href };
}
