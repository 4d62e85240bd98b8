import { randomBytes } from 'node:crypto';
import { type SharedPostgres, sharedPostgres } from '@tallystick/testing';
import { beforeAll, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { migratePostgres } from '../../src/store/migrate.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { checkStore } from '../../src/store/startup-checks.ts';
import { anItem, logName, statuses } from '../events.ts';
import { createLogin, runSql } from '../stores.ts';

// The operating system of a database was updated, and its locale sorted texts in another order. The indexes of the store still
// had the old order: look-ups missed heads, and the service asked the operator to open new epochs for chains that were whole.

let shared: SharedPostgres;
beforeAll(async () => {
  shared = await sharedPostgres();
});

async function open(locale: string): Promise<{ readonly ownerUrl: string; readonly url: string }> {
  const name = `order_${randomBytes(6).toString('hex')}`;
  await runSql(shared.adminUrl, `create database ${name} encoding 'UTF8' ${locale} template template0`);
  const ownerUrl = Object.assign(new URL(shared.adminUrl), { pathname: `/${name}` }).href;
  const { login, url } = await createLogin(shared, ownerUrl);
  await migratePostgres(ownerUrl, login);
  return { ownerUrl, url };
}

const english = `locale_provider icu icu_locale 'en-US' locale 'C'`;

/** Views, policies, triggers and grants, without the names of roles and the months of partitions. */
async function definitionsOf(ownerUrl: string): Promise<string[]> {
  const rows = await runSql<{ text: string }>(
    ownerUrl,
    `select concat(viewname, definition, reloptions, relacl) as text
       from pg_views join pg_class on relname = viewname and relnamespace = 'public'::regnamespace
      where schemaname = 'public'
     union all select concat(tablename, policyname, permissive, roles, cmd, qual, with_check) from pg_policies
     union all select concat(pg_get_triggerdef(oid), tgenabled) from pg_trigger where not tgisinternal
     union all select concat(relname, relacl) from pg_class where relnamespace = 'public'::regnamespace`,
  );
  return rows.map(({ text }) => text.replaceAll(/_[0-9a-f]{12}/g, '')).sort();
}

test('every text column of the store is in the order of bytes, whatever the locale of the database', async () => {
  const { ownerUrl } = await open(english);
  const wrong = await runSql(
    ownerUrl,
    `select attrelid::regclass::text, attname from pg_attribute join pg_class on pg_class.oid = attrelid
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'i', 'I') and attnum > 0
        and attcollation not in (0, '"C"'::regcollation)`,
  );
  expect(wrong).toEqual([]);
});

test('views, policies, triggers and grants are those of a database whose order is that of bytes', async () => {
  const [one, other] = [await open(english), await open(`locale_provider libc locale 'C'`)];
  expect(await definitionsOf(one.ownerUrl)).toEqual(await definitionsOf(other.ownerUrl));
});

test('an index that is out of order is named at start, with the remedy, and no new epoch is asked for', async () => {
  const { ownerUrl, url } = await open(english);
  const database = new PostgresDatabase({ url });
  const items = ['a', 'B', 'c', 'D', 'e'].map((tenant) => anItem(tenant));
  expect(new Set(statuses(await new Writer(database, { logName }).submit(items)))).toEqual(
    new Set(['chained']),
  );
  await checkStore(database);
  await database.close();
  // What an update of the operating system does: the collation has another order, and the index is as it was.
  const setCollation = (name: string) => `
    update pg_attribute set attcollation = '${name}'::regcollation
     where attrelid in ('audit_chain_state'::regclass, 'audit_chain_state_pkey'::regclass) and attname = 'tenant_id';
    update pg_index set indcollation = (select '${name}'::regcollation::oid::text)::oidvector
     where indexrelid = 'audit_chain_state_pkey'::regclass`;
  await runSql(ownerUrl, setCollation('"en-x-icu"'));
  const updated = new PostgresDatabase({ url });
  await expect(checkStore(updated)).rejects.toMatchObject({
    code: 'STORE_UNSUITABLE',
    message: expect.stringMatching(/indexes .* out of order.*reindex database.*no new epoch/s),
  });
  await updated.close();
  await runSql(ownerUrl, `reindex index audit_chain_state_pkey`);
  const mended = new PostgresDatabase({ url });
  await checkStore(mended);
  await mended.close();
});
