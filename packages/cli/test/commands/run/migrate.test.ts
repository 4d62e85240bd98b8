import { freePort, sharedPostgres } from '@tallystick/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';

const migrate = (url: string, ...args: string[]) =>
  tally(['migrate', ...args], { env: { TALLYSTICK_DATABASE_URL: url } });

describe('a database', () => {
  let url: string;
  beforeAll(async () => {
    ({ url } = await (await sharedPostgres()).createDatabase());
  });

  test('is set up once, and repeating it changes nothing', async () => {
    const first = await migrate(url);
    expect(first.stdout).toMatch(/^applied 0*1[\w-]*\.sql\n(applied [\w-]+\.sql\n)+$/);
    expect(first.exitCode).toBe(0);
    expect((await migrate(url)).stdout).toBe('the schema is up to date\n');
    expect((await migrate(url, '--json')).json()).toEqual([{ applied: [], service_login: null }]);
  });

  test('is refused a service login that is not there', async () => {
    const { stderr, exitCode } = await migrate(url, '--service-login', 'nobody_here');
    expect(stderr).toContain('role "nobody_here" does not exist (STORE_UNAVAILABLE)');
    expect(stderr).toContain('hint: create the role first');
    expect(exitCode).toBe(4);
  });

  test('in another encoding is unsuitable', async () => {
    const { adminUrl } = await sharedPostgres();
    const other = new URL(url);
    other.pathname = `${other.pathname}_latin1`;
    const { default: pg } = await import('pg');
    const admin = new pg.Client({ connectionString: adminUrl });
    await admin.connect();
    await admin.query(
      `create database "${other.pathname.slice(1)}" encoding 'LATIN1' locale 'C' template template0`,
    );
    await admin.end();
    const { stderr, exitCode } = await migrate(other.href);
    expect(stderr).toContain('must be UTF8, not LATIN1 (STORE_UNSUITABLE)');
    expect(exitCode).toBe(3);
  });
});

test('no server, no database and no address', async () => {
  const nowhere = await migrate(`postgres://owner:secret@localhost:${await freePort()}/audit`);
  expect(nowhere.stderr).toMatch(
    /^error: can't migrate localhost:\d+\/audit: .*ECONNREFUSED.* \(STORE_UNAVAILABLE\)/,
  );
  expect(nowhere.stderr).not.toContain('secret');
  expect(nowhere.exitCode).toBe(4);
  const { adminUrl } = await sharedPostgres();
  const missing = new URL(adminUrl);
  missing.pathname = '/no_such_database';
  expect((await migrate(missing.href)).stderr).toContain(
    'has no database no_such_database (STORE_UNAVAILABLE)',
  );
  for (const text of ['', 'audit', 'mysql://secret@x/y']) {
    const { stderr, exitCode } = await migrate(text);
    expect(stderr).toContain('(USAGE)');
    expect(stderr).not.toContain('secret');
    expect(exitCode).toBe(3);
  }
});
