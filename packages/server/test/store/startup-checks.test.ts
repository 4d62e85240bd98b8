import { type SharedPostgres, sharedPostgres, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuditService } from '../../src/app.ts';
import { migratePostgres, migrations } from '../../src/store/migrate.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { checkStore } from '../../src/store/startup-checks.ts';
import { createLogin, openPostgres, type PostgresStore, runSql } from '../stores.ts';

let shared: SharedPostgres;
let store: PostgresStore;
beforeAll(async () => {
  shared = await sharedPostgres();
  store = await openPostgres();
});
afterAll(() => store.close());

async function codeOf(url: string): Promise<string> {
  const database = new PostgresDatabase({ url });
  try {
    await checkStore(database);
    return 'suitable';
  } catch (error) {
    return String((error as { code?: string }).code);
  } finally {
    await database.close();
  }
}

test("the service's own login on a migrated database is suitable", async () => {
  expect(await codeOf(store.serviceUrl)).toBe('suitable');
});

describe('a login that could switch the triggers off is refused', () => {
  test('a superuser', async () => {
    expect(await codeOf(store.ownerUrl)).toBe('STORE_UNSUITABLE');
    const { url } = await createLogin(shared, store.ownerUrl, 'superuser');
    expect(await codeOf(url)).toBe('STORE_UNSUITABLE');
  });

  // Since PostgreSQL 16 the creator of a role may grant it to others but not set it himself. An owner who had run the
  // migration got the error that the database was not set up.
  test('the owner who ran the migration, whether or not he may act as the service', async () => {
    const { url: ownerUrl } = await shared.createDatabase();
    const owner = await createLogin(shared, ownerUrl, 'createrole');
    await runSql(ownerUrl, `grant create on schema public to ${owner.login}`);
    await migratePostgres(owner.url);
    expect(await codeOf(owner.url)).toBe('STORE_UNSUITABLE');
    const [roles] = await runSql<{ writer: string; reader: string }>(ownerUrl, 'select * from tally_roles');
    await runSql(ownerUrl, `grant ${roles!.writer}, ${roles!.reader} to ${owner.login}`);
    expect(await codeOf(owner.url)).toBe('STORE_UNSUITABLE');
    const heir = await createLogin(shared, ownerUrl);
    await runSql(ownerUrl, `grant ${owner.login}, ${roles!.writer} to ${heir.login}`);
    expect(await codeOf(heir.url)).toBe('STORE_UNSUITABLE');
  });

  test('a login that is not a member of the roles of the service', async () => {
    const { url } = await createLogin(shared, store.ownerUrl);
    expect(await codeOf(url)).toBe('STORE_UNSUITABLE');
  });
});

describe('a database in another encoding', () => {
  const createLatin1 = async () => {
    const name = `latin1_${process.pid}_${Date.now()}`;
    await runSql(shared.adminUrl, `create database ${name} encoding 'LATIN1' locale 'C' template template0`);
    const url = new URL(shared.adminUrl);
    url.pathname = `/${name}`;
    return url.href;
  };

  test('is neither migrated nor served', async () => {
    const ownerUrl = await createLatin1();
    const { login, url } = await createLogin(shared, ownerUrl);
    await expect(migratePostgres(ownerUrl, login)).rejects.toMatchObject({ code: 'STORE_UNSUITABLE' });
    await runSql(ownerUrl, migrations()[0]!.sql);
    await runSql(ownerUrl, `grant tally_writer, tally_reader to ${login}`);
    expect(await codeOf(url)).toBe('STORE_UNSUITABLE');
  });
});

describe('a schema that is not this version’s', () => {
  test('is refused: no schema, an older one, a newer one', async () => {
    const { url: ownerUrl } = await shared.createDatabase();
    const { login, url } = await createLogin(shared, ownerUrl);
    await runSql(ownerUrl, migrations()[0]!.sql);
    await runSql(ownerUrl, `grant tally_writer, tally_reader to ${login}`);
    expect(await codeOf(url)).toBe('SCHEMA_VERSION');
    await migratePostgres(ownerUrl, login);
    expect(await codeOf(url)).toBe('suitable');
    const last = migrations().at(-1)!.name;
    await runSql(ownerUrl, `delete from tally_migrations where name = '${last}'`);
    expect(await codeOf(url)).toBe('SCHEMA_VERSION');
    await runSql(ownerUrl, `insert into tally_migrations (name) values ('${last}'), ('9999_later.sql')`);
    expect(await codeOf(url)).toBe('SCHEMA_VERSION');
    await expect(migratePostgres(ownerUrl, login)).rejects.toMatchObject({ code: 'SCHEMA_VERSION' });
  });
});

// An old replica that restarts during a rollout, or that comes back after a rollback.
test('a schema with additive migrations of a newer version is accepted, and not changed', async () => {
  const { url: ownerUrl } = await shared.createDatabase();
  const { login, url } = await createLogin(shared, ownerUrl);
  await migratePostgres(ownerUrl, login);
  await runSql(ownerUrl, `insert into tally_migrations (name, additive) values ('9998_more.sql', true)`);
  expect(await codeOf(url)).toBe('suitable');
  expect(await migratePostgres(ownerUrl, login)).toEqual([]);
  await runSql(ownerUrl, `insert into tally_migrations (name, additive) values ('9999_other.sql', false)`);
  expect(await codeOf(url)).toBe('SCHEMA_VERSION');
  await expect(migratePostgres(ownerUrl, login)).rejects.toThrow('a newer version (9999_other.sql)');
});

test('a database that was migrated before the column `additive` existed is accepted', async () => {
  const { url: ownerUrl } = await shared.createDatabase();
  const { login, url } = await createLogin(shared, ownerUrl);
  await migratePostgres(ownerUrl, login);
  await runSql(ownerUrl, 'alter table tally_migrations drop column additive');
  expect(await codeOf(url)).toBe('suitable');
  expect(await migratePostgres(ownerUrl, login)).toEqual([]);
  expect(await codeOf(url)).toBe('suitable');
});

test('migrations that race apply each step once, and a second run applies nothing', async () => {
  const { url: ownerUrl } = await shared.createDatabase();
  const { login } = await createLogin(shared, ownerUrl);
  const runs = await Promise.all([1, 2, 3, 4].map(() => migratePostgres(ownerUrl, login)));
  expect(runs.flat().sort()).toEqual(migrations().map(({ name }) => name));
  expect(await migratePostgres(ownerUrl, login)).toEqual([]);
});

test('a service that must not start leaves no connection behind', async () => {
  using signer = tempDir();
  const opening = AuditService.open({
    store: { databaseUrl: store.ownerUrl },
    signerDirectory: signer.path,
    logName: 'audit.test',
  });
  await expect(opening).rejects.toMatchObject({ code: 'STORE_UNSUITABLE' });
  const [row] = await runSql<{ count: number }>(
    store.ownerUrl,
    `select count(*)::int from pg_stat_activity where application_name = 'tallystick' and usename = 'postgres'
        and datname = current_database()`,
  );
  expect(row).toEqual({ count: 0 });
});

test('a server that cannot be reached is unavailable, not unsuitable', async () => {
  const url = new URL(store.serviceUrl);
  url.port = '1';
  expect(await codeOf(url.href)).toBe('STORE_UNAVAILABLE');
});
