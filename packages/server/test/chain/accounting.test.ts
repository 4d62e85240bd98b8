import { uuidv7 } from '@tallystick/event';
import { expect, test } from 'vitest';
import { appendBatch } from '../../src/chain/append-batch.ts';
import type { BatchItem, ProducerStatement } from '../../src/chain/batch.ts';
import { toDeadLetter } from '../../src/chain/dead-letters.ts';
import { type Database, writer } from '../../src/store/database.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, logName, newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';

const submitter = 'key:0123456789ab';

/** Events of one producer with these numbers. */
function numbered(tenant: string, producer: string, ...numbers: number[]): BatchItem[] {
  return numbers.map((producer_seq) => {
    const item = anItem(tenant);
    return {
      ...item,
      ingest: { source: 'http', trust: 'api-key', principal: submitter, producer_id: producer, producer_seq },
    };
  });
}

function declared(producerId: string, what: Partial<ProducerStatement>): ProducerStatement {
  return { submitter, producerId, service: 'gateway', gaps: [], final: [], ...what };
}

async function account(database: Database, producer: string) {
  const [book] = await database.query(
    writer,
    'select settled_to, highest_seen, final_seq, service from audit_producers where producer_id = $1',
    [producer],
  );
  const ranges = await database.query<{ first_seq: number; last_seq: number }>(
    writer,
    'select first_seq, last_seq from audit_producer_ranges where producer_id = $1 order by first_seq',
    [producer],
  );
  return { ...book, ranges: ranges.map((range) => [range.first_seq, range.last_seq]) };
}

onEachStore((store) => {
  const append = (items: BatchItem[], statements: ProducerStatement[] = []) =>
    appendBatch(store().database, { items, statements }, { logName });

  test('numbers that arrive in order are settled without a range', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    await append(numbered(tenant, producer, 1, 2, 3));
    await append(numbered(tenant, producer, 4), [
      declared(producer, { final: [{ tenantId: tenant, finalSeq: 4 }] }),
    ]);
    expect(await account(store().database, producer)).toEqual({
      settled_to: 4,
      highest_seen: 4,
      final_seq: 4,
      service: 'gateway',
      ranges: [],
    });
  });

  test('missing numbers stay open, and are settled when their events arrive late', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    await append(numbered(tenant, producer, 1, 2, 5, 6, 9));
    expect(await account(store().database, producer)).toMatchObject({
      settled_to: 2,
      highest_seen: 9,
      ranges: [
        [5, 6],
        [9, 9],
      ],
    });
    await append(numbered(tenant, producer, 3, 4));
    expect(await account(store().database, producer)).toMatchObject({ settled_to: 6, ranges: [[9, 9]] });
    await append(numbered(tenant, producer, 7, 8));
    expect(await account(store().database, producer)).toMatchObject({ settled_to: 9, ranges: [] });
  });

  test('a duplicate and a dead letter settle their numbers and cause no gap', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    const [first, second] = numbered(tenant, producer, 1, 2);
    const refused: BatchItem = {
      deadLetter: {
        ...toDeadLetter('{"tenant_id":"x"}', { source: 'http' }, [
          { code: 'FIELD_REQUIRED', pointer: '', message: '' },
        ]),
        tenantId: tenant,
      },
      ingest: { ...(first as { ingest: object }).ingest, producer_seq: 3 } as never,
    };
    await append([first!, second!, refused]);
    await append([first!]);
    expect(await account(store().database, producer)).toMatchObject({ settled_to: 3, ranges: [] });
  });

  test('a declared loss is chained once, however often it is declared, and settles its numbers', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    const gaps = [{ tenantId: tenant, from: 2, to: 5, reason: 'buffer_full' }];
    await append(numbered(tenant, producer, 1, 6), [declared(producer, { gaps })]);
    await append([], [declared(producer, { gaps })]);
    const records = await expectSoundChain(store().database, tenant);
    const losses = records.filter(({ event }) => event.event_type === 'delivery.gap');
    expect(losses).toHaveLength(1);
    expect(losses[0]!.event.metadata).toMatchObject({
      producer_id: producer,
      from: 2,
      to: 5,
      events: 4,
      reason: 'buffer_full',
    });
    expect(await account(store().database, producer)).toMatchObject({ settled_to: 6, ranges: [] });
  });

  test('two submitters that use the same producer id do not settle each other', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    await append(numbered(tenant, producer, 1));
    await append(
      [],
      [{ ...declared(producer, { final: [{ tenantId: tenant, finalSeq: 1 }] }), submitter: 'key:other' }],
    );
    const books = await store().database.query<{ submitter: string; final_seq: number | null }>(
      writer,
      'select submitter, final_seq from audit_producers where producer_id = $1 order by submitter',
      [producer],
    );
    expect(books).toEqual([
      { submitter, final_seq: null },
      { submitter: 'key:other', final_seq: 1 },
    ]);
  });
});
