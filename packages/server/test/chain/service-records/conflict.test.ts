import { beforeAll, expect, test } from 'vitest';
import { Writer } from '../../../src/chain/writer.ts';
import { writer as asWriter } from '../../../src/store/database.ts';
import { expectSoundChain } from '../../chains.ts';
import {
  anEvent,
  anItem,
  deadLetterOf,
  itemOf,
  logName,
  newTenant,
  receiptOf,
  statuses,
} from '../../events.ts';
import { onEachStore } from '../../stores.ts';

onEachStore((store) => {
  let writer: Writer;
  beforeAll(() => {
    writer = new Writer(store().database, { logName });
  });

  const deadLetters = async (tenant: string) =>
    await store().database.query<{ id: string; seen: number; reason: string; raw: Uint8Array }>(
      asWriter,
      'select id::text, seen, reason, raw, audit_id from audit_dead_letters where tenant_id = $1 order by id',
      [tenant],
    );

  /** Two events that claim one id. */
  const rivals = (tenant: string) => {
    const first = anEvent(tenant, { actor_id: 'first' });
    return [itemOf(first), itemOf({ ...first, actor_id: 'second' })] as const;
  };

  test('an event whose id is taken is kept as a dead letter, and one record with its hash is chained', async () => {
    const tenant = newTenant();
    const [first, second] = rivals(tenant);
    const [taken] = await writer.submit([first]);
    const [refused] = await writer.submit([second]);
    expect(refused!.status).toBe('conflict');
    const deadLetter = deadLetterOf(refused);
    expect(deadLetter.violations[0]).toMatchObject({ code: 'AUDIT_ID_CONFLICT', pointer: '/audit_id' });

    const records = await expectSoundChain(store().database, tenant);
    expect(records).toHaveLength(3);
    expect(records[2]).toMatchObject({
      ingest: { source: 'service', trust: 'service' },
      event: {
        event_type: 'delivery.conflict',
        target_id: receiptOf(taken).audit_id,
        metadata: { audit_id: first.event.audit_id, dead_letter_id: deadLetter.id, source: 'test' },
      },
    });
    const [kept, ...others] = await deadLetters(tenant);
    expect(others).toEqual([]);
    expect(kept).toMatchObject({ id: deadLetter.id, seen: 1, reason: 'AUDIT_ID_CONFLICT' });
    expect(Buffer.from(kept!.raw).toString()).toBe(second.canonical);
  });

  test('a retry only increases the count', async () => {
    const tenant = newTenant();
    const [first, second] = rivals(tenant);
    await writer.submit([first]);
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(statuses(await writer.submit([second]))).toEqual(['conflict']);
    }
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(3);
    expect(await deadLetters(tenant)).toMatchObject([{ seen: 3 }]);
    // The first event is unchanged, and sending it again is still a duplicate.
    expect(statuses(await writer.submit([first]))).toEqual(['duplicate']);
  });

  test('each further event that claims the id is another conflict', async () => {
    const tenant = newTenant();
    const [first, second] = rivals(tenant);
    const third = itemOf({ ...first.event, actor_id: 'third' });
    await writer.submit([first]);
    await writer.submit([second, third, second]);
    const records = await expectSoundChain(store().database, tenant);
    expect(records.filter(({ event }) => event.event_type === 'delivery.conflict')).toHaveLength(2);
    expect(await deadLetters(tenant)).toHaveLength(2);
  });

  test('within one batch the first event wins, and the rest of the batch is chained', async () => {
    const tenant = newTenant();
    const [first, second] = rivals(tenant);
    const outcomes = await writer.submit([anItem(tenant), first, second, first, anItem(tenant)]);
    expect(statuses(outcomes)).toEqual(['chained', 'chained', 'conflict', 'duplicate', 'chained']);
    const records = await expectSoundChain(store().database, tenant);
    expect(records.map(({ event }) => event.event_type).slice(1)).toEqual([
      'access.granted',
      'access.granted',
      'delivery.conflict',
      'access.granted',
    ]);
  });

  test('of two events with one id that race, one is chained and the other is a conflict', async () => {
    const tenant = newTenant();
    const [first, second] = rivals(tenant);
    const replicas = [0, 1].map(() => new Writer(store().connect(), { logName }));
    const outcomes = await Promise.all([replicas[0]!.submit([first]), replicas[1]!.submit([second])]);
    expect(statuses(outcomes.flat()).sort()).toEqual(['chained', 'conflict']);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(3);
  });
});
