import { beforeAll, describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { type Access, writer } from '../../src/store/database.ts';
import { anItem, items, logName, newTenant } from '../events.ts';
import { onEachStore, openPostgres, runSql } from '../stores.ts';

const refused = { code: '42501' };
const reader = (...tenants: string[]): Access => ({ role: 'reader', tenants });

onEachStore((store) => {
  const [mine, theirs] = [newTenant('mine'), newTenant('theirs')];
  beforeAll(async () => {
    const batch = [...items(300, mine), ...items(300, theirs)];
    await new Writer(store().database, { logName }).submit(batch);
  });

  const tenantsSeen = async (access: Access, table = 'audit_records') =>
    (
      await store().database.query<{ tenant_id: string }>(
        access,
        `select distinct tenant_id from ${table} order by 1`,
      )
    ).map((row) => row.tenant_id);

  describe('a reader', () => {
    test.each(['audit_records', 'audit_events', 'audit_chain_state', 'audit_tiles'])(
      'sees of %s the tenants that were named, and none where none was',
      async (table) => {
        expect(await tenantsSeen(reader(mine), table)).toEqual([mine]);
        expect(await tenantsSeen(reader(theirs, mine), table)).toEqual([mine, theirs].sort());
        expect(await tenantsSeen(reader(), table)).toEqual([]);
        expect(await tenantsSeen(reader(newTenant()), table)).toEqual([]);
      },
    );

    test('of one transaction has no effect on the next transaction of its connection', async () => {
      expect(await tenantsSeen(reader(mine))).toEqual([mine]);
      expect(await tenantsSeen(reader())).toEqual([]);
    });

    // The tenants of a transaction are one text with commas, so one odd name could become two tenants.
    test.each(['a,b', `${'%'}`, '*', '', ' ', "x' or true --", '{a,b}'])(
      'is refused the tenant %j',
      async (odd) => {
        for (const name of [odd, odd.replace('a,b', `${mine},${theirs}`), `${mine}${odd}`]) {
          if (name === mine) continue;
          await expect(tenantsSeen(reader(name)), name).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
        }
      },
    );

    test('reads no partition by its name, and no other table of the service', async () => {
      const leaves = await store().asOwner<{ name: string }>(
        `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_records'::regclass`,
      );
      const closed = ['audit_api_keys', 'audit_dead_letters', 'audit_producers', 'audit_sealed'];
      for (const table of [...leaves.map((row) => row.name), ...closed]) {
        await expect(
          store().database.query(reader(mine), `select * from ${table}`),
          table,
        ).rejects.toMatchObject(refused);
      }
    });

    test('writes nothing', async () => {
      for (const sql of [
        'insert into audit_records select * from audit_records',
        'update audit_records set record = record',
        'delete from audit_records',
        'truncate audit_records',
        'update audit_chain_state set last_sequence = 0',
        'select tally_ensure_partitions()',
        'create table mine (n int)',
      ]) {
        await expect(store().database.query(reader(mine), sql), sql).rejects.toMatchObject(refused);
      }
    });
  });

  describe('the writer', () => {
    test('deletes no dead letter, and adds and changes no API key by itself', async () => {
      for (const sql of [
        'delete from audit_dead_letters',
        'truncate audit_dead_letters',
        `insert into audit_api_keys (id, name, secret_hash, scopes) values ('aaaaaaaaaaaa', 'mine', 'x', '{admin}')`,
        `update audit_api_keys set scopes = '{admin}'`,
        'update audit_api_keys set revoked_at = null',
        'delete from audit_api_keys',
        `select tally_key_event('a', gen_random_uuid(), 'audit.key_created')`,
      ]) {
        await expect(store().database.query(writer, sql), sql).rejects.toMatchObject(refused);
      }
    });

    test('creates a key only from a record of the service', async () => {
      const tenant = newTenant();
      // A client can't write this type. An operator's import is not the service either.
      const claimed = anItem(tenant, {
        event_type: 'audit.key_created',
        metadata: { key_id: 'bbbbbbbbbbbb', name: 'x', scopes: ['admin'], secret_sha256: '' },
      });
      await new Writer(store().database, { logName }).submit([claimed]);
      for (const id of [claimed.event.audit_id, '00000000-0000-8000-8000-000000000000']) {
        await expect(
          store().database.query(writer, `select tally_create_api_key($1, $2::uuid, 'x')`, [tenant, id]),
        ).rejects.toMatchObject(refused);
      }
    });
  });

  test('the writer sees every tenant', async () => {
    expect(await tenantsSeen(writer)).toEqual(expect.arrayContaining([mine, theirs]));
  });
});

// Since PostgreSQL 16, GRANT stores whether the member inherits at the time of the grant. A login that was set to
// noinherit only afterwards had the writer's rights outside of transactions too.
test("the service's login has no rights outside a transaction that has set a role", async () => {
  const store = await openPostgres();
  await new Writer(store.database, { logName }).submit([anItem(newTenant())]);
  for (const table of ['audit_records', 'audit_chain_state', 'audit_api_keys']) {
    await expect(runSql(store.serviceUrl, `select * from ${table}`), table).rejects.toMatchObject(refused);
  }
  await store.close();
});
