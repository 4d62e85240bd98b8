import { type SharedPostgres, sharedPostgres } from '@tallystick/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { writer } from '../../src/store/database.ts';
import { migratePostgres, migrations } from '../../src/store/migrate.ts';
import { ensurePartitions } from '../../src/store/partitions.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { checkStore } from '../../src/store/startup-checks.ts';
import { Trail } from '../../src/trail/trail.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, logName, newTenant, statuses } from '../events.ts';
import { apiKeys } from '../keys.ts';
import { createLogin, runSql } from '../stores.ts';

// The roles of the service belonged to the whole server. The login of one installation could make itself an admin key in the
// database of another one on the same server.

let shared: SharedPostgres;
beforeAll(async () => {
  shared = await sharedPostgres();
});

interface Installation {
  readonly name: string;
  readonly ownerUrl: string;
  readonly login: string;
  readonly url: string;
}

async function create(): Promise<Installation> {
  const { name, url: ownerUrl } = await shared.createDatabase();
  return { name, ownerUrl, ...(await createLogin(shared, ownerUrl)) };
}

/** As version 0.1 set a database up: with the roles of the server. */
async function createOld(): Promise<Installation> {
  const installation = await create();
  const { ownerUrl, login } = installation;
  await runSql(
    ownerUrl,
    'create table tally_migrations (name text primary key, applied_at timestamptz default now(), additive boolean)',
  );
  await runSql(ownerUrl, 'grant select on tally_migrations to public');
  for (const { name, sql, additive } of migrations().filter((one) => one.name < '0008')) {
    await runSql(ownerUrl, sql);
    await runSql(ownerUrl, `insert into tally_migrations values ('${name}', now(), ${additive})`);
  }
  await runSql(ownerUrl, 'select tally_ensure_partitions()');
  await runSql(ownerUrl, `alter role ${login} noinherit; grant tally_writer, tally_reader to ${login}`);
  return installation;
}

const forgeKey = `insert into audit_api_keys (id, name, secret_hash, scopes)
                  values ('forged', 'forged', '\\x00', '{admin}')`;

/** What the login of one installation gets in the database of another one, whatever role it sets. */
async function attack(attacker: Installation, victim: Installation): Promise<string> {
  const url = new URL(attacker.url);
  url.pathname = `/${victim.name}`;
  const roles = await runSql<{ role: string }>(
    url.href,
    `select rolname as role from pg_roles where pg_has_role(session_user, oid, 'member')`,
  );
  for (const { role } of roles) {
    const outcome = await runSql(url.href, `set role ${role}; ${forgeKey}`).then(
      () => 'forged',
      (error: { code: string }) => error.code,
    );
    if (outcome !== '42501') return outcome;
  }
  return 'refused';
}

async function expectService({ url }: Installation, tenant = newTenant()): Promise<string> {
  const database = new PostgresDatabase({ url });
  try {
    await checkStore(database);
    await ensurePartitions(database);
    const outcomes = await new Writer(database, { logName }).submit([anItem(tenant), anItem(tenant)]);
    expect(statuses(outcomes)).toEqual(['chained', 'chained']);
    await expectSoundChain(database, tenant);
    const { events } = await new Trail(database).list({ tenantId: tenant }, { sensitive: true });
    expect(events.length).toBeGreaterThanOrEqual(3);
    expect((await new Trail(database).list({ tenantId: 'other' }, { sensitive: true })).exists).toBe(false);
    const keys = apiKeys(database);
    const { key } = await keys.create({ name: 'key', scopes: ['admin'] });
    expect(await keys.authenticate(key)).toMatchObject({ scopes: ['admin'] });
    return tenant;
  } finally {
    await database.close();
  }
}

test('the login of one installation has no right in the database of another one', async () => {
  const [one, other] = [await create(), await create()];
  for (const { ownerUrl, login } of [one, other]) await migratePostgres(ownerUrl, login);
  expect(await attack(one, other)).toBe('refused');
  expect(await attack(other, one)).toBe('refused');
  await expectService(one);
  await expectService(other);
});

describe('a database of version 0.1', () => {
  test('gets roles of its own, and works as before', async () => {
    const [one, other] = [await createOld(), await createOld()];
    expect(await attack(other, one)).toBe('forged');
    await runSql(one.ownerUrl, `delete from audit_api_keys`);
    await migratePostgres(one.ownerUrl, one.login);
    expect(await attack(other, one)).toBe('refused');
    const tenant = await expectService(one);
    expect(await migratePostgres(one.ownerUrl, one.login)).toEqual([]);
    await expectService(one, tenant);
    // The one that is not migrated yet still works with its old roles.
    expect(await attack(one, other)).toBe('forged');
    await migratePostgres(other.ownerUrl, other.login);
    expect(await attack(one, other)).toBe('refused');
    await expectService(other);
  });

  test('leaves the old roles without any right, and no policy or function that names them', async () => {
    const one = await createOld();
    await migratePostgres(one.ownerUrl, one.login);
    const left = await runSql(
      one.ownerUrl,
      `select 1 from pg_shdepend
        where refobjid in (select oid from pg_roles where rolname in ('tally_writer', 'tally_reader', 'tally_retention'))
          and dbid = (select oid from pg_database where datname = current_database())
       union all
       select 1 from pg_proc where prosrc ~ '\\mtally_(writer|reader|retention)\\M'`,
    );
    expect(left).toEqual([]);
  });

  test('is not migrated without the name of the login, which would lose its rights', async () => {
    const one = await createOld();
    await expect(migratePostgres(one.ownerUrl)).rejects.toMatchObject({
      code: 'STORE_UNSUITABLE',
      message: expect.stringContaining('--service-login'),
    });
    expect(await runSql(one.ownerUrl, `select to_regclass('tally_roles') as table`)).toEqual([
      { table: null },
    ]);
  });
});

test('a copy of a database shares its roles until it is migrated', async () => {
  const one = await create();
  await migratePostgres(one.ownerUrl, one.login);
  const copy = { ...(await create()), name: `${one.name}_copy` };
  await runSql(shared.adminUrl, `create database ${copy.name} template ${one.name}`);
  const inCopy = (url: string) => Object.assign(new URL(url), { pathname: `/${copy.name}` }).href;
  const second = { ...copy, ownerUrl: inCopy(copy.ownerUrl), url: inCopy(copy.url) };
  await migratePostgres(second.ownerUrl, second.login);
  expect(await attack(one, second)).toBe('refused');
  expect(await attack(second, one)).toBe('refused');
  await expectService(second);
  await expectService(one);
  const database = new PostgresDatabase({ url: one.url });
  expect(await database.query(writer, 'select count(*)::int from tally_roles')).toEqual([{ count: 1 }]);
  await database.close();
});
