import { describe, expect, test } from 'vitest';
import { type AppendStage, appendBatch, appendBatches } from '../../src/chain/append-batch.ts';
import type { Batch } from '../../src/chain/batch.ts';
import { Writer } from '../../src/chain/writer.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, items, logName, newTenant, receiptOf, statuses } from '../events.ts';
import { onEachStore } from '../stores.ts';

onEachStore((store) => {
  const newWriter = () => new Writer(store().connect(), { logName });

  test('100 events that one tenant emits at once are chained without a gap, in the order of their submission', async () => {
    const tenant = newTenant();
    const writer = newWriter();
    const given = items(100, tenant);
    const outcomes = (await Promise.all(given.map((item) => writer.submit([item])))).flat();
    const records = await expectSoundChain(store().database, tenant);
    expect(records.map(({ event }) => event.audit_id).slice(1)).toEqual(
      given.map(({ event }) => event.audit_id),
    );
    expect(outcomes.map((outcome) => receiptOf(outcome).sequence_number)).toEqual(
      given.map((_, at) => at + 1),
    );
  });

  test('100 events of each of two tenants, from two replicas at once, are chained without a gap', async () => {
    const tenants = [newTenant(), newTenant()];
    const writers = [newWriter(), newWriter()];
    await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        Promise.all(tenants.map((tenant) => writers[at % 2]!.submit([anItem(tenant)]))),
      ),
    );
    for (const tenant of tenants) expect(await expectSoundChain(store().database, tenant)).toHaveLength(101);
  });

  test('batches that contain the same tenants in opposite order do not deadlock', async () => {
    const [a, b] = [newTenant(), newTenant()];
    const retries: string[] = [];
    const replicas = [0, 1].map(
      () => new Writer(store().connect(), { logName, onRetry: (r) => retries.push(r) }),
    );
    for (let round = 0; round < 10; round++) {
      await Promise.all([
        replicas[0]!.submit([anItem(a), anItem(b)]),
        replicas[1]!.submit([anItem(b), anItem(a)]),
      ]);
    }
    // Heads are locked in the order of tenants, so the database never has to break a deadlock.
    expect(retries.filter((reason) => reason === '40P01')).toEqual([]);
    for (const tenant of [a, b]) expect(await expectSoundChain(store().database, tenant)).toHaveLength(21);
  });

  describe('genesis', () => {
    test('20 first events that race create one', async () => {
      const tenant = newTenant();
      const writers = Array.from({ length: 20 }, () => new Writer(store().connect(), { logName }));
      const outcomes = await Promise.all(writers.map((writer) => writer.submit([anItem(tenant)])));
      expect(statuses(outcomes.flat())).toEqual(new Array(20).fill('chained'));
      const records = await expectSoundChain(store().database, tenant);
      expect(records.map(({ event }) => event.event_type)).toEqual([
        'system.genesis',
        ...new Array(20).fill('access.granted'),
      ]);
    });

    test('is written with the first event, for each new tenant of a batch and for no other', async () => {
      const [old, fresh] = [newTenant(), newTenant()];
      await newWriter().submit([anItem(old)]);
      await newWriter().submit([anItem(fresh), anItem(old)]);
      expect(await expectSoundChain(store().database, old)).toHaveLength(3);
      expect(await expectSoundChain(store().database, fresh)).toHaveLength(2);
    });
  });

  test('a crash before the commit leaves nothing: no record, head, tile, dead letter or position', async () => {
    const tenant = newTenant();
    const range = { clusterId: 'c', topicId: tenant, topic: 't', partition: 0, from: 0, next: 301 };
    const batch = {
      items: [
        ...items(300, tenant),
        {
          deadLetter: {
            id: 'c0ffee00-0000-4000-8000-000000000001',
            source: 'test',
            violations: [{ code: 'JSON_INVALID', pointer: '', message: 'must be JSON' }],
            raw: Buffer.from('{'),
          },
        },
      ],
      range: { ...range, offsets: Array.from({ length: 301 }, (_, at) => at) },
    };
    const stages: AppendStage[] = [];
    const onStage = async (stage: AppendStage) => {
      stages.push(stage);
      if (stage === 'committing') throw new Error('crash');
    };
    await expect(appendBatch(store().database, batch, { logName, onStage })).rejects.toThrow('crash');
    expect(stages).toEqual(['copying', 'committing']);
    for (const [table, column] of [
      ['audit_records', 'tenant_id'],
      ['audit_chain_state', 'tenant_id'],
      ['audit_tiles', 'tenant_id'],
      ['audit_source_positions', 'topic_id'],
    ]) {
      expect(await store().asOwner(`select 1 from ${table} where ${column} = '${tenant}'`)).toEqual([]);
    }
    expect(
      await store().asOwner(
        "select 1 from audit_dead_letters where id = 'c0ffee00-0000-4000-8000-000000000001'",
      ),
    ).toEqual([]);

    // The same batch again, without the crash: recovery is the normal path.
    const { outcomes } = await appendBatch(store().database, batch, { logName });
    expect(outcomes.filter((outcome) => outcome?.status === 'chained')).toHaveLength(300);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(301);
  });

  test('a test learns of each stage of a transaction once, also of one that is sealed twice', async () => {
    const tenant = newTenant();
    const batch = items(300, tenant);
    const stagesOf = async (itemsOfBatch: typeof batch) => {
      const stages: AppendStage[] = [];
      const onStage = (stage: AppendStage) => void stages.push(stage);
      await appendBatch(store().database, { items: itemsOfBatch }, { logName, onStage });
      return stages;
    };
    expect(await stagesOf(batch.slice(299))).toEqual(['copying', 'committing', 'committed']);
    expect(await stagesOf(batch)).toEqual(['copying', 'committing', 'committed']);
    expect(await stagesOf([])).toEqual(['committing', 'committed']);
  });

  test("a caller's books are stored with the chain or not at all", async () => {
    await store().asOwner(
      `create table books (tenant text); grant insert, select on books to ${store().writerRole}`,
    );
    const tenant = newTenant();
    const [first, second, third] = items(3, tenant);
    const seen: (string | undefined)[][] = [];
    const closeBooks: Batch['closeBooks'] = async (session, outcomes) => {
      seen.push(statuses(outcomes));
      await session.query('insert into books values ($1)', [tenant]);
      if (seen.length === 1) throw new Error('the books do not agree');
    };
    const batches = [{ items: [first!] }, { items: [second!, second!, third!], closeBooks }];
    const append = () => appendBatches(store().database, batches, { logName });
    await expect(append()).rejects.toThrow('do not agree');
    expect(await store().asOwner('select tenant from books')).toEqual([]);
    expect(await store().asOwner(`select 1 from audit_records where tenant_id = '${tenant}'`)).toEqual([]);
    await append();
    expect(await store().asOwner('select tenant from books')).toEqual([{ tenant }]);
    expect(seen[1]).toEqual(['chained', 'duplicate', 'chained']);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(4);
  });
});
