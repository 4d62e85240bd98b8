import { uuidv7 } from '@tallystick/event';
import { beforeAll, expect, test } from 'vitest';
import type { AuditService } from '../../../src/app.ts';
import { DeadLetters } from '../../../src/operations/dead-letters.ts';
import { planRecovery, recoverChain } from '../../../src/operations/recover.ts';
import { retryDeadLetter } from '../../../src/operations/retry-dead-letter.ts';
import { expectSoundChain } from '../../chains.ts';
import { anEvent, newTenant } from '../../events.ts';
import { caughtUp, newName, openSite, type Sent, type Site, sent, warmUp } from './site.ts';

beforeAll(warmUp, 120_000);

interface StoredDeadLetter {
  readonly id: string;
  readonly source: string;
  readonly raw: Buffer;
}

const openDeadLetters = (site: Site, tenant: string) =>
  site.query<StoredDeadLetter>(
    `select id, source, raw from audit_dead_letters
      where state = 'open' and reason = 'CHAIN_STOPPED' and tenant_id = $1 order by source`,
    [tenant],
  );

const accountOf = async (site: Site, producerId: string) => {
  const [account] = await site.query(
    `select settled_to::int, highest_seen::int, final_seq::int,
            (select count(*)::int from audit_producer_ranges r where r.producer_id = p.producer_id) as ranges
       from audit_producers p where producer_id = $1`,
    [producerId],
  );
  return account;
};

/** Events 1 and 5 of a producer that has lost those between them, and declares 5 as its last number. */
function sentMeanwhile(tenant: string, producer: string): Sent[] {
  const numbered = (number: number) =>
    sent(anEvent(tenant), {
      'tallystick-producer-id': producer,
      'tallystick-producer-seq': String(number),
      'tallystick-service': 'cms',
    });
  const delivery = {
    producer_id: producer,
    service: 'cms',
    gaps: [{ tenant_id: tenant, from: 2, to: 4, reason: 'buffer_full' }],
    final: [{ tenant_id: tenant, final_seq: 5 }],
  };
  const headers = { 'tallystick-kind': 'statement' };
  // Indented, to see that the dead letter keeps the bytes that were received.
  return [numbered(1), { key: tenant, value: JSON.stringify({ delivery }, null, 1), headers }, numbered(5)];
}

async function retryAll(service: AuditService, ids: readonly string[]): Promise<string[]> {
  const deadLetters = new DeadLetters(service.database);
  const statuses: string[] = [];
  for (const id of ids) {
    statuses.push(
      (await retryDeadLetter(service, deadLetters, { id, tenants: undefined, by: 'tester', now: Date.now() }))
        .status,
    );
  }
  return statuses;
}

const gapsOf = (records: Awaited<ReturnType<typeof expectSoundChain>>) =>
  records.filter(({ event }) => event.event_type === 'delivery.gap').map(({ event }) => event.metadata);

// The dead letter of a gap had a form that no retry could read, so its numbers stayed open permanently.
test('a gap that is declared while its chain is stopped is chained by a retry after the recovery, once', async () => {
  await using site = await openSite();
  const [tenant, producer] = [newTenant('restored'), uuidv7()];
  await restoredFromBackup(site, tenant);
  const service = await site.openService();
  expect([...service.logs.stopped.keys()]).toEqual([tenant]);
  const ingest = await site.ingest(service);
  const messages = sentMeanwhile(tenant, producer);
  await site.produce(messages);
  await caughtUp(ingest, { 0: 3 });
  const deadLetters = await openDeadLetters(site, tenant);
  expect(deadLetters.map(({ source }) => source.split('/').at(-1))).toEqual(['0', '1', '2']);
  expect(deadLetters[1]!.raw.toString()).toBe(messages[1]!.value);
  const open = { settled_to: 1, highest_seen: 5, final_seq: 5, ranges: 1 };
  expect(await accountOf(site, producer)).toEqual(open);

  const ids = deadLetters.map(({ id }) => id);
  expect(await retryAll(service, ids)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(await openDeadLetters(site, tenant)).toEqual(deadLetters);
  expect(await accountOf(site, producer)).toEqual(open);

  const [plan] = await planRecovery(service, [tenant]);
  await recoverChain(service, plan!, 'restored for a test');
  expect(await retryAll(service, ids)).toEqual(['chained', 'chained', 'chained']);
  expect(await openDeadLetters(site, tenant)).toEqual([]);
  const settled = { settled_to: 5, highest_seen: 5, final_seq: 5, ranges: 0 };
  expect(await accountOf(site, producer)).toEqual(settled);
  const chained = async () => {
    const all = await expectSoundChain(service.database, tenant, 2);
    // Without what the service records of accounts: how often depends on how messages were batched.
    return all.filter(({ event }) => !String(event.event_type).startsWith('audit.'));
  };
  const records = await chained();
  expect(records).toHaveLength(4);
  // With their original numbers and sources.
  const source = (offset: number) => `kafka:${site.kafka.clusterId}/${site.topic}/0/${offset}`;
  for (const [event, offset, producer_seq] of [
    [records[1], 0, 1],
    [records[3], 2, 5],
  ] as const) {
    expect(event?.ingest).toMatchObject({ source: source(offset), producer_id: producer, producer_seq });
  }
  const submitter = `kafka:${site.kafka.clusterId}/${site.topic}`;
  expect(gapsOf(records)).toEqual([
    { producer_id: producer, submitter, from: 2, to: 4, events: 3, reason: 'buffer_full', service: 'cms' },
  ]);

  // Neither a second retry nor reading the messages again adds anything.
  expect(await retryAll(service, ids)).toEqual(['duplicate', 'duplicate', 'duplicate']);
  await ingest.close();
  await site.query('delete from audit_source_positions');
  await caughtUp(await site.ingest(service, { groupId: newName('group') }), { 0: 3 });
  expect(await accountOf(site, producer)).toEqual(settled);
  expect(await chained()).toEqual(records);
  expect(await openDeadLetters(site, tenant)).toEqual([]);
});

test('a gap is kept as the same dead letter if its chain is found to be stopped in the transaction', async () => {
  await using site = await openSite();
  const service = await site.openService();
  const [tenant, producer] = [newTenant('damaged'), uuidv7()];
  await chain(service, tenant, 1);
  const [{ frontier }] = (await site.query<{ frontier: Buffer }>(
    'select frontier from audit_chain_state where tenant_id = $1',
    [tenant],
  )) as [{ frontier: Buffer }];
  const setFrontier = (value: Buffer) =>
    site.query('update audit_chain_state set frontier = $2 where tenant_id = $1', [tenant, value]);
  // The damage is noticed only once the head is locked.
  await setFrontier(Buffer.of(0));
  const ingest = await site.ingest(service);
  const messages = sentMeanwhile(tenant, producer);
  await site.produce(messages);
  await caughtUp(ingest, { 0: 3 });
  const deadLetters = await openDeadLetters(site, tenant);
  expect(deadLetters).toHaveLength(3);
  expect(deadLetters[1]!.raw.toString()).toBe(messages[1]!.value);
  expect(await accountOf(site, producer)).toMatchObject({ settled_to: 1, final_seq: 5 });

  await setFrontier(frontier);
  const ids = deadLetters.map(({ id }) => id);
  expect(await retryAll(service, ids)).toEqual(['chained', 'chained', 'chained']);
  expect(await accountOf(site, producer)).toMatchObject({ settled_to: 5, final_seq: 5, ranges: 0 });
  const records = await expectSoundChain(service.database, tenant);
  expect(gapsOf(records)).toHaveLength(1);
  expect(records).toHaveLength(5);
});

async function chain(service: AuditService, tenant: string, count: number): Promise<void> {
  const events = Array.from({ length: count }, () => JSON.stringify(anEvent(tenant)));
  await service.submit({ events, source: 'test', trust: 'operator' });
}

/** Removes the last records of a tenant from the store, after the signer has signed them. */
async function restoredFromBackup(site: Site, tenant: string): Promise<void> {
  const service = await site.openService();
  await chain(service, tenant, 2);
  await site.query('create table backup as select * from audit_chain_state where tenant_id = $1', [tenant]);
  await chain(service, tenant, 3);
  await service.logs.checkpoint(tenant);
  await service.close();
  await site.query('set session_replication_role = replica');
  await site.query('delete from audit_records where tenant_id = $1 and sequence_number > 2', [tenant]);
  await site.query('delete from audit_checkpoints where tenant_id = $1', [tenant]);
  await site.query('delete from audit_chain_state where tenant_id = $1', [tenant]);
  await site.query('insert into audit_chain_state select * from backup');
  await site.query('set session_replication_role = origin');
}
