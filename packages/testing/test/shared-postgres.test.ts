import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { type SharedPostgres, sharedPostgres } from '../src/shared-postgres.ts';

let shared: SharedPostgres;
beforeAll(async () => {
  shared = await sharedPostgres();
});

async function client(url: string): Promise<AsyncDisposable & pg.Client> {
  const connected = new pg.Client({ connectionString: url });
  await connected.connect();
  return Object.assign(connected, { [Symbol.asyncDispose]: () => connected.end() });
}

test('every call gets the same server', async () => {
  expect((await sharedPostgres()).adminUrl).toBe(shared.adminUrl);
});

test('two databases are independent of each other', async () => {
  const [one, other] = await Promise.all([shared.createDatabase(), shared.createDatabase()]);
  expect(one.name).not.toBe(other.name);
  await using inOne = await client(one.url);
  await using inOther = await client(other.url);
  await inOne.query('create table only_here (n int)');
  await expect(inOther.query('select * from only_here')).rejects.toMatchObject({ code: '42P01' });
});

test('the server runs without fsync, but commits synchronously', async () => {
  await using admin = await client(shared.adminUrl);
  const { rows } = await admin.query(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`,
  );
  expect(rows).toEqual([{ fsync: 'off', commit: 'on' }]);
});
