import { sharedPostgres } from '@tallystick/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { writer } from '../../src/store/database.ts';
import { migratePostgres } from '../../src/store/migrate.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { checkStore } from '../../src/store/startup-checks.ts';
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

describe('the service works with the settings of its login and database', () => {
  test.each(settings)('%s = %s', async (name, value) => {
    await store.asOwner(`alter role ${store.serviceLogin} set ${name} = '${value}'`);
    await expectService(store.serviceUrl);
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
