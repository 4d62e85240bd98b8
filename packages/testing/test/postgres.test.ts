import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Postgres, startPostgres } from '../src/postgres.ts';
import { childrenOf, isAlive } from '../src/processes.ts';
import { tempDir } from '../src/temp-dir.ts';

async function query<Row extends object>(url: string, sql: string, timeoutMs = 0): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('a server of its own', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres({ settings: { work_mem: '7MB' } });
  });
  afterAll(() => postgres.stop());

  test('is PostgreSQL 18 in UTF-8, durable, on loopback, with the given settings', async () => {
    const names = [
      'server_encoding',
      'fsync',
      'synchronous_commit',
      'listen_addresses',
      'work_mem',
      'TimeZone',
    ];
    const columns = names.map((name) => `current_setting('${name}') as "${name}"`);
    const [row] = await query(
      postgres.adminUrl,
      `select current_setting('server_version') as version, ${columns}`,
    );
    expect(row).toEqual({
      version: expect.stringMatching(/^18\./),
      server_encoding: 'UTF8',
      fsync: 'on',
      synchronous_commit: 'on',
      listen_addresses: '127.0.0.1',
      work_mem: '7MB',
      TimeZone: 'UTC',
    });
  });

  test('accepts no connection without the password', async () => {
    const url = new URL(postgres.adminUrl);
    url.password = 'guess';
    await expect(query(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test('accepts names of databases that need quoting', async () => {
    const { name, url } = await postgres.createDatabase('Odd "name"');
    expect(name).toBe('Odd "name"');
    expect(await query(url, 'select current_database() as name')).toEqual([{ name }]);
  });

  test('keeps a committed row through kill -9, and loses an uncommitted one', async () => {
    const { url } = await postgres.createDatabase();
    await query(url, 'create table kept (n int); insert into kept values (1)');
    const open = new pg.Client({ connectionString: url });
    const disconnected = new Promise((resolve) => open.on('error', resolve));
    await open.connect();
    await open.query('begin; insert into kept values (2)');

    const before = { pid: postgres.pid, port: postgres.port };
    const backends = childrenOf(before.pid);
    expect(backends.length).toBeGreaterThan(3);
    await postgres.kill('SIGKILL');
    expect([before.pid, ...backends].filter(isAlive)).toEqual([]);
    await disconnected;
    await expect(query(url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });

    await postgres.restart();
    expect(postgres.port).toBe(before.port);
    expect(postgres.pid).not.toBe(before.pid);
    expect(await query(url, 'select n from kept')).toEqual([{ n: 1 }]);
  });

  test('can be restarted while it runs, and hangs while it is stopped', async () => {
    const before = postgres.pid;
    await postgres.restart();
    expect(postgres.pid).not.toBe(before);
    const open = new pg.Client({ connectionString: postgres.adminUrl });
    await open.connect();
    await postgres.kill('SIGSTOP');
    let answered = false;
    const asked = open.query('select 1').then(() => {
      answered = true;
    });
    await expect(query(postgres.adminUrl, 'select 1', 200)).rejects.toThrow('timeout');
    expect(answered).toBe(false);
    await postgres.kill('SIGCONT');
    await asked;
    await open.end();
    expect(await query(postgres.adminUrl, 'select 1 as n')).toEqual([{ n: 1 }]);
  });
});

test('a given directory stays after its server has stopped, and the next server uses it', async () => {
  using dir = tempDir();
  const dataDir = join(dir.path, 'cluster');
  const first = await startPostgres({ dataDir, durable: false });
  const { name } = await first.createDatabase();
  await first.stop();
  await first.stop();

  await using second = await startPostgres({ dataDir, durable: false });
  const rows = await query(second.adminUrl, `select datname from pg_database where datname = '${name}'`);
  expect(rows).toEqual([{ datname: name }]);
});

test('a setting that the server refuses fails the start with the message of its log, and leaves no process', async () => {
  using dir = tempDir();
  const dataDir = join(dir.path, 'cluster');
  const started = startPostgres({ dataDir, settings: { max_connections: 'many' } });
  await expect(started).rejects.toThrow('invalid value for parameter "max_connections": "many"');
  expect(existsSync(join(dataDir, 'running.pid'))).toBe(false);
});
