import { uuidv7 } from '@tallystick/event';
import { describe, expect, test } from 'vitest';
import { withOwnId } from '../../../src/chain/service-records/own-id.ts';
import { gapRecords } from '../../../src/chain/service-records/producer-records.ts';
import { serviceEvent } from '../../../src/chain/service-records/service-event.ts';
import { Writer } from '../../../src/chain/writer.ts';
import { writer } from '../../../src/store/database.ts';
import { anEvent, itemOf, logName, newTenant, statuses } from '../../events.ts';
import { onEachStore } from '../../stores.ts';

const secret = new Uint8Array(32).fill(7);
const statementOf = (tenantId: string) => ({
  submitter: 'key:0123456789ab',
  producerId: uuidv7(),
  gaps: [{ tenantId, from: 3, to: 7, reason: 'buffer_full' }],
  final: [],
});

describe('the id of a record of the service', () => {
  const [record] = gapRecords([statementOf('acme')]);

  test('depends on the secret, and is the same each time', () => {
    const { item, formerly } = withOwnId(record!, secret);
    expect(item.event.audit_id).not.toBe(record!.event.audit_id);
    expect(item).toEqual(withOwnId(record!, secret).item);
    expect(item).not.toEqual(withOwnId(record!, new Uint8Array(32)).item);
    expect(JSON.parse(item.canonical)).toEqual(item.event);
    expect(formerly).toBe(record);
  });

  test('stays, if the service drew it or a client chose it', () => {
    const drawn = serviceEvent({
      audit_id: uuidv7(),
      tenant_id: 'acme',
      timestamp: '2026-01-02T03:04:05.678Z',
      event_type: 'audit.exported',
    });
    const chosen = itemOf(anEvent('acme', { audit_id: record!.event.audit_id }));
    for (const item of [drawn, chosen]) expect(withOwnId(item, secret)).toEqual({ item });
  });
});

onEachStore((store) => {
  const open = (recordIdSecret?: Uint8Array) =>
    new Writer(store().database, { logName, ...(recordIdSecret && { recordIdSecret }) });
  const gapsOf = (tenant: string) =>
    store().database.query<{ trust: string }>(
      writer,
      `select record::jsonb #>> '{ingest,trust}' as trust from audit_records
        where tenant_id = $1 and event_type = 'delivery.gap'`,
      [tenant],
    );

  // Ids were the plain hash of what a record is about. A client that declared a gap could submit an event with the gap's id
  // first: the record was never chained, and the loss was hidden.
  test('a client that uses the computable id first suppresses no record', async () => {
    const tenant = newTenant();
    const statement = statementOf(tenant);
    const [record] = gapRecords([statement]);
    const claim = itemOf(anEvent(tenant, { audit_id: record!.event.audit_id }));
    expect(statuses(await open(secret).submit([claim], [statement]))).toEqual(['chained']);
    expect(await gapsOf(tenant)).toEqual([{ trust: 'service' }]);
    await open(secret).submit([], [statement]);
    expect(await gapsOf(tenant)).toHaveLength(1);
  });

  test('a record that version 0.1 chained is not chained again', async () => {
    const tenant = newTenant();
    const statement = statementOf(tenant);
    await open().submit([], [statement]);
    await open(secret).submit([], [statement]);
    expect(statuses(await open(secret).submit(gapRecords([statement]), [statement]))).toEqual(['duplicate']);
    expect(await gapsOf(tenant)).toHaveLength(1);
  });

  test('a conflict is recorded although a client used the computable id of its record', async () => {
    const tenant = newTenant();
    const first = anEvent(tenant);
    const other = itemOf({ ...first, actor_id: 'bob' });
    await open().submit([itemOf(first)]);
    await open().submit([other]);
    const conflicts = () =>
      store().database.query<{ audit_id: string }>(
        writer,
        `select audit_id from audit_records where tenant_id = $1 and event_type = 'delivery.conflict'`,
        [tenant],
      );
    // The conflict of version 0.1 is found: no second record.
    await open(secret).submit([other]);
    expect(await conflicts()).toHaveLength(1);
    const third = itemOf({ ...first, actor_id: 'carol' });
    await open(secret).submit([third]);
    await open(secret).submit([third]);
    expect(await conflicts()).toHaveLength(2);
  });
});
