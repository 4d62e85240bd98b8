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

  const contradictions = async (tenant: string) =>
    (await expectSoundChain(store().database, tenant))
      .filter(({ event }) => event.event_type === 'delivery.contradiction')
      .map(({ event }) => event.metadata);
  const last = (tenantId: string, finalSeq: number) => ({ final: [{ tenantId, finalSeq }] });

  // A lowered last number once replaced the higher one, and the numbers between them were no longer missing.
  test('a lower last number than the declared one hides no loss, and is on record once', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    await append(numbered(tenant, producer, 1, 2), [declared(producer, last(tenant, 5))]);
    await append([], [declared(producer, last(tenant, 2))]);
    await append([], [declared(producer, last(tenant, 2))]);
    expect(await account(store().database, producer)).toMatchObject({ settled_to: 2, final_seq: 5 });
    expect(await contradictions(tenant)).toEqual([
      { producer_id: producer, submitter, tenant_id: tenant, final_seq: 2, declared_before: 5 },
    ]);
  });

  test('a last number below a number that was seen closes nothing, and is on record', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    await append(numbered(tenant, producer, 1, 2, 3), [declared(producer, last(tenant, 2))]);
    expect(await account(store().database, producer)).toMatchObject({ settled_to: 3, final_seq: null });
    expect(await contradictions(tenant)).toMatchObject([{ final_seq: 2, highest_seen: 3 }]);
  });

  test('a higher last number adds to the declared one, and a producer may go on after its end', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    await append(numbered(tenant, producer, 1), [declared(producer, last(tenant, 1))]);
    await append(numbered(tenant, producer, 2), [declared(producer, last(tenant, 3))]);
    expect(await account(store().database, producer)).toMatchObject({ settled_to: 2, final_seq: 3 });
    expect(await contradictions(tenant)).toEqual([]);
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
    // The same declaration again adds nothing.
    const others = { ...declared(producer, last(tenant, 1)), submitter: 'key:other' };
    await append([], [others]);
    expect(await contradictions(tenant)).toEqual([
      {
        producer_id: producer,
        submitter: 'key:other',
        tenant_id: tenant,
        final_seq: 1,
        other_submitter: submitter,
      },
    ]);
  });

  test('a producer is ephemeral only if it says so before anything else is known of it', async () => {
    const [tenant, early, late] = [newTenant(), uuidv7(), uuidv7()];
    await append(numbered(tenant, early, 1), [declared(early, { ephemeral: true })]);
    await append(numbered(tenant, late, 1), [declared(late, {})]);
    await append(numbered(tenant, late, 2), [declared(late, { ephemeral: true })]);
    const rows = await store().database.query(
      writer,
      'select producer_id::text, is_ephemeral from audit_producers where tenant_id = $1 order by producer_id',
      [tenant],
    );
    expect(rows).toEqual([
      { producer_id: early, is_ephemeral: true },
      { producer_id: late, is_ephemeral: false },
    ]);
  });
});
