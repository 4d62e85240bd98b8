import { uuidv7 } from '@tallystick/event';
import { expect, test } from 'vitest';
import { appendBatch } from '../../../src/chain/append-batch.ts';
import type { ProducerStatement } from '../../../src/chain/batch.ts';
import { pruneAccounts } from '../../../src/chain/books/prune-accounts.ts';
import { rangeAppender } from '../../../src/ingest/append-ranges.ts';
import { writer } from '../../../src/store/database.ts';
import { expectSoundChain } from '../../chains.ts';
import { anItem, logName, newTenant } from '../../events.ts';
import { onEachStore } from '../../stores.ts';

const submitter = 'key:0123456789ab';
const day = 86_400_000;

onEachStore((store) => {
  const prune = () => {
    const { database } = store();
    const appendRanges = rangeAppender(database, { logName }, {});
    return pruneAccounts({ database, appendRanges, serviceTenant: 'tallystick' }, Date.now());
  };

  /** A producer that started forty days ago and has sent these numbers. */
  async function producer(
    tenant: string,
    numbers: readonly number[],
    statement: Partial<ProducerStatement> = {},
    id = uuidv7(Date.now() - 40 * day),
  ): Promise<string> {
    const items = numbers.map((producer_seq) => ({
      ...anItem(tenant),
      ingest: {
        source: 'http',
        trust: 'api-key' as const,
        principal: submitter,
        producer_id: id,
        producer_seq,
      },
    }));
    const statements = [{ submitter, producerId: id, gaps: [], final: [], ...statement }];
    await appendBatch(store().database, { items, statements }, { logName });
    return id;
  }
  const closedAt = (tenantId: string, finalSeq: number) => ({ final: [{ tenantId, finalSeq }] });
  const silence = (tenant: string, days: number) =>
    store().asOwner(
      `update audit_producers set last_seen_at = now() - interval '${days} days' where tenant_id = '${tenant}'`,
    );
  const accounts = async (tenant: string) =>
    await store().database.query<{ producer_id: string; settled_to: number; final_seq: number | null }>(
      writer,
      'select producer_id::text, settled_to, final_seq from audit_producers where tenant_id = $1 order by producer_id',
      [tenant],
    );

  test('only accounts that are complete, or ephemeral, and silent for a month are deleted, on record', async () => {
    const tenant = newTenant();
    const closed = await producer(tenant, [1, 2], closedAt(tenant, 2));
    const ephemeral = await producer(tenant, [1], { ephemeral: true });
    const kept = [
      await producer(tenant, [1]),
      await producer(tenant, [1, 3], closedAt(tenant, 3)),
      await producer(tenant, [1], closedAt(tenant, 2)),
      await producer(tenant, [2], { ephemeral: true }),
    ];
    await silence(tenant, 29);
    expect(await prune()).toBe(0);
    await silence(tenant, 31);
    expect(await prune()).toBe(2);
    expect(await prune()).toBe(0);
    expect((await accounts(tenant)).map(({ producer_id }) => producer_id)).toEqual(kept.sort());
    const records = await expectSoundChain(store().database, tenant);
    const { event, ingest } = records.at(-1)!;
    expect(event).toMatchObject({ event_type: 'audit.accounts_pruned', metadata: { count: 2 } });
    expect(ingest.trust).toBe('service');
    const { accounts: listed } = event.metadata as { accounts: string[] };
    expect(listed.sort()).toEqual(
      [
        `${closed} ${tenant} 2 closed ${submitter}`,
        `${ephemeral} ${tenant} 1 end-unknown ${submitter}`,
      ].sort(),
    );
  });

  test('a pruned account comes back as it was, so that a late event makes no number look missing', async () => {
    const tenant = newTenant();
    const id = await producer(tenant, [1, 2, 3], closedAt(tenant, 3));
    await silence(tenant, 31);
    expect(await prune()).toBe(1);
    await producer(tenant, [3], {}, id);
    expect(await accounts(tenant)).toEqual([{ producer_id: id, settled_to: 3, final_seq: 3 }]);
  });

  test('the service deletes no account by itself', async () => {
    await expect(store().database.query(writer, 'delete from audit_producers')).rejects.toMatchObject({
      code: '42501',
    });
    const tenant = newTenant();
    const id = await producer(tenant, [1]);
    await silence(tenant, 31);
    const row = [{ submitter, producer_id: id, tenant_id: tenant, numbers: 1 }];
    const [result] = await store().database.query<{ pruned: number }>(
      writer,
      'select tally_prune_accounts($1::jsonb) as pruned',
      [JSON.stringify(row)],
    );
    expect(result).toEqual({ pruned: 0 });
  });
});
