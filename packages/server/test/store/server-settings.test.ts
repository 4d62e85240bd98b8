import { randomBytes } from 'node:crypto';
import { sharedPostgres } from '@tallystick/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { writer } from '../../src/store/database.ts';
import { migratePostgres } from '../../src/store/migrate.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { checkStore } from '../../src/store/startup-checks.ts';
import { tenantPage } from '../../src/trail/tenants.ts';
import { Trail } from '../../src/trail/trail.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, logName, newTenant, statuses } from '../events.ts';
import { createLogin, openPostgres, type PostgresStore, runSql } from '../stores.ts';

// An operator sets what other applications of the server need. With `datestyle = 'SQL, DMY'` the second of March came back as
// the third of February, with a search path of its own no table was found, and a short statement_timeout broke batches.

let store: PostgresStore;
beforeEach(async () => {
  store = await openPostgres();
});
afterEach(() => store.close());

const settings = [
  ['datestyle', 'SQL, DMY'],
  ['datestyle', 'German'],
  ['timezone', 'Pacific/Kiritimati'],
  ['timezone', 'America/St_Johns'],
  ['intervalstyle', 'iso_8601'],
  ['standard_conforming_strings', 'off'],
  ['search_path', 'elsewhere'],
  ['search_path', ''],
  ['bytea_output', 'escape'],
  ['extra_float_digits', '-15'],
  ['quote_all_identifiers', 'on'],
  ['transform_null_equals', 'on'],
  ['array_nulls', 'off'],
  ['row_security', 'off'],
  ['statement_timeout', '60000'],
  ['lock_timeout', '60000'],
  ['idle_session_timeout', '60000'],
  ['idle_in_transaction_session_timeout', '60000'],
  ['synchronous_commit', 'off'],
  ['default_transaction_isolation', 'serializable'],
  ['default_transaction_deferrable', 'on'],
] as const;

/** Everything the service does with times, bytes, arrays, nulls and roles comes back as it was written. */
async function expectService(url: string): Promise<void> {
  const database = new PostgresDatabase({ url });
  try {
    await checkStore(database);
    const tenant = newTenant();
    const timestamp = '2026-03-02T01:02:03.456Z';
    const odd = anItem(tenant, { timestamp, actor_id: "back\\slash 'quote' \t tab" });
    const items = [odd, anItem(tenant, { timestamp })];
    expect(statuses(await new Writer(database, { logName }).submit(items))).toEqual(['chained', 'chained']);
    expect(statuses(await new Writer(database, { logName }).submit(items))).toEqual([
      'duplicate',
      'duplicate',
    ]);
    await expectSoundChain(database, tenant);
    const filters = { from: timestamp, to: '2026-03-02T01:02:03.457Z' };
    const page = await new Trail(database).list({ tenantId: tenant, filters }, { sensitive: true });
    expect(page.events).toMatchObject([{ timestamp }, { timestamp, actor_id: odd.event.actor_id }]);
    const [row] = await database.query(
      writer,
      `select '2026-03-02T00:00:00Z'::timestamptz as at, '\\x005cff'::bytea as bytes, array['NULL', null] as texts,
              0.1::float8 as number, current_setting('synchronous_commit') as sync,
              current_setting('statement_timeout') as statement, current_setting('idle_session_timeout') as idle,
              current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as open`,
    );
    expect(row).toEqual({
      at: new Date('2026-03-02T00:00:00Z'),
      bytes: Buffer.of(0, 92, 255),
      texts: ['NULL', null],
      number: 0.1,
      sync: 'on',
      statement: '0',
      idle: '0',
      lock: '3s',
      open: '5s',
    });
  } finally {
    await database.close();
  }
}

/** Tenants whose order depends on the language: pages, heads and filters must agree on one order. */
async function expectOrderOfBytes(url: string): Promise<void> {
  const database = new PostgresDatabase({ url });
  const tenants = [...'aAbBcCzZ019'].flatMap((first) =>
    ['', '-', '.', '_', '-b', '.B'].map((rest) => first + rest),
  );
  const batch = tenants.map((tenant) => anItem(tenant, { actor_id: tenant }));
  expect(new Set(statuses(await new Writer(database, { logName }).submit(batch)))).toEqual(
    new Set(['chained']),
  );
  const again = await new Writer(database, { logName }).submit(batch);
  expect(new Set(statuses(again))).toEqual(new Set(['duplicate']));
  const listed: string[] = [];
  for (;;) {
    const page = await tenantPage(database, { among: undefined, after: listed.at(-1) ?? '', limit: 7 });
    listed.push(...page.tenants.map(({ tenant_id }) => tenant_id));
    if (page.next === undefined) break;
  }
  expect(listed.filter((tenant) => tenants.includes(tenant))).toEqual([...tenants].sort());
  await database.close();
}

describe('the service works with the settings of its login and database', () => {
  test.each(settings)('%s = %s', async (name, value) => {
    await store.asOwner(`alter role ${store.serviceLogin} set ${name} = '${value}'`);
    await expectService(store.serviceUrl);
  });

  // Tenants, ids and actors are compared as bytes. In the order of a language, "a" is between "A" and "B".
  test.each([
    `locale_provider icu icu_locale 'en-US' locale 'C'`,
    `locale_provider icu icu_locale 'und-u-ks-level2' locale 'C'`,
    `locale_provider libc locale 'C'`,
  ])('a database with %s', async (locale) => {
    const name = `locale_${randomBytes(6).toString('hex')}`;
    const { adminUrl } = await sharedPostgres();
    await runSql(adminUrl, `create database ${name} encoding 'UTF8' ${locale} template template0`);
    const ownerUrl = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
    const { login, url } = await createLogin({ adminUrl }, ownerUrl);
    await migratePostgres(ownerUrl, login);
    await expectService(url);
    await expectOrderOfBytes(url);
  });

  test('all of them at once, also while the owner migrates', async () => {
    const { name, url: ownerUrl } = await (await sharedPostgres()).createDatabase();
    for (const [setting, value] of settings) {
      await runSql(store.ownerUrl, `alter database ${name} set ${setting} = '${value}'`);
    }
    const { login, url } = await createLogin(await sharedPostgres(), ownerUrl);
    await migratePostgres(ownerUrl, login);
    await expectService(url);
  });
});
