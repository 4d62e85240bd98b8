import { beforeAll, describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { writer } from '../../src/store/database.ts';
import { expectSoundChain } from '../chains.ts';
import { items, logName, newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';

const refused = expect.objectContaining({ code: '42501' });

onEachStore((store) => {
  const tenant = newTenant();
  let leaves: string[];
  beforeAll(async () => {
    await new Writer(store().database, { logName }).submit(items(300, tenant));
    leaves = (
      await store().asOwner<{ name: string }>(
        `select inhrelid::regclass::text as name from pg_inherits
          where inhparent = 'audit_records'::regclass order by 1`,
      )
    ).map((row) => row.name);
    expect(leaves.length).toBeGreaterThanOrEqual(5);
  });

  const changes = (table: string) => [
    `update ${table} set tenant_id = tenant_id`,
    `delete from ${table}`,
    `truncate ${table}`,
  ];

  describe.each(['audit_records', 'audit_tiles'])('%s', (table) => {
    test('refuses UPDATE, DELETE and TRUNCATE to its owner, even a superuser', async () => {
      for (const sql of [...changes(table), `truncate ${table} cascade`]) {
        await expect(store().asOwner(sql), sql).rejects.toThrow(/append-only/);
      }
    });

    test('refuses them to the service', async () => {
      for (const sql of changes(table))
        await expect(store().database.query(writer, sql), sql).rejects.toEqual(refused);
    });
  });

  test('every partition refuses them as well, to its owner and to the service', async () => {
    for (const leaf of leaves) {
      await expect(store().asOwner(`truncate ${leaf}`), leaf).rejects.toThrow(/append-only/);
      for (const sql of changes(leaf)) {
        await expect(store().database.query(writer, sql), sql).rejects.toEqual(refused);
      }
    }
    const [current] = await store().asOwner<{ leaf: string }>(
      `select tableoid::regclass::text as leaf from audit_records where tenant_id = '${tenant}' limit 1`,
    );
    for (const sql of changes(current!.leaf)) {
      await expect(store().asOwner(sql), sql).rejects.toThrow(/append-only/);
    }
  });

  test('the service can neither switch a trigger off nor drop the table', async () => {
    for (const sql of [
      'alter table audit_records disable trigger append_only',
      'alter table audit_records disable row level security',
      'drop table audit_records',
      `alter table audit_records detach partition ${leaves[0]}`,
      'drop trigger append_only on audit_records',
      'create or replace function tally_refuse_change() returns trigger language plpgsql as $$ begin return new; end $$',
      'set session_replication_role = replica',
      'delete from audit_chain_state',
      'delete from audit_checkpoints',
    ]) {
      await expect(store().database.query(writer, sql), sql).rejects.toMatchObject({
        code: expect.stringMatching(/^(42501|23505)$/),
      });
    }
  });

  test('the service cannot hide a second statement behind a first one', async () => {
    const stacked = store().database.query(writer, 'select 1; drop table audit_records', []);
    await expect(stacked).rejects.toMatchObject({ code: '42601' });
  });

  test('refused statements changed nothing', async () => {
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(301);
  });
});
