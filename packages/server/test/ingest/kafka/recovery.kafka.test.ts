import type { Admin } from '@platformatic/kafka';
import { uuidv7 } from '@tallystick/event';
import { until } from '@tallystick/testing';
import { beforeAll, expect, test } from 'vitest';
import type { AuditService } from '../../../src/app.ts';
import { expectSoundChain, recordsOf } from '../../chains.ts';
import { anEvent, newTenant } from '../../events.ts';
import { caughtUp, newName, openSite, type Sent, type Site, sent, warmUp } from './site.ts';

beforeAll(warmUp, 120_000);

/** A digest of all events, dead letters, accounts and heads, to notice any change. */
async function everything(site: Site): Promise<object> {
  const tables = ['audit_records', 'audit_dead_letters', 'audit_chain_state', 'audit_producer_ranges'];
  const rows: object[] = [];
  for (const table of tables) {
    rows.push(await site.query(`select md5(string_agg(t::text, '' order by t::text)) from ${table} t`));
  }
  const accounts = await site.query(
    'select submitter, producer_id, tenant_id, settled_to, highest_seen, final_seq from audit_producers order by 1, 2, 3',
  );
  return { rows, accounts };
}

/** The records of a sound chain, without those of dead letters and accounts: their number depends on how messages were batched. */
async function chainedOf(service: AuditService, tenant: string) {
  const records = await expectSoundChain(service.database, tenant);
  const batched = ['delivery.dead_lettered', 'audit.accounts_changed'];
  return records.filter(({ event }) => !batched.includes(String(event.event_type)));
}

/** Events, poison, a repeated event, a conflict, a gap. */
function mixture(tenant: string): Sent[] {
  const producer = uuidv7();
  const headers = (number: number) => ({
    'tallystick-producer-id': producer,
    'tallystick-producer-seq': String(number),
    'tallystick-service': 'cms',
  });
  const repeated = anEvent(tenant);
  const gaps = [{ tenant_id: tenant, from: 5, to: 6, reason: 'crash' }];
  return [
    sent(anEvent(tenant), headers(1)),
    { key: tenant, value: 'poison', headers: headers(2) },
    sent(repeated, headers(3)),
    sent(repeated, headers(3)),
    sent({ ...repeated, actor_id: 'mallory' }, headers(4)),
    { key: tenant, value: null },
    {
      key: tenant,
      value: JSON.stringify({ delivery: { producer_id: producer, gaps } }),
      headers: { 'tallystick-kind': 'statement' },
    },
    sent(anEvent(tenant), headers(7)),
  ];
}

async function positionsOf(site: Site): Promise<number[]> {
  const rows = await site.query<{ next_offset: string }>(
    'select next_offset from audit_source_positions where topic = $1 order by topic_id, partition',
    [site.topic],
  );
  return rows.map(({ next_offset }) => Number(next_offset));
}

test('reading the whole topic again, by another group or without positions, changes nothing', async () => {
  await using site = await openSite();
  const service = await site.openService();
  const tenant = newTenant();
  const first = await site.ingest(service);
  await site.produce(mixture(tenant));
  await caughtUp(first, { 0: 8 });
  await first.close();
  const before = await everything(site);
  expect(await chainedOf(service, tenant)).toHaveLength(1 + 3 + 2);

  const another = await site.ingest(service, { groupId: newName('group') });
  await caughtUp(another, { 0: 8 });
  await another.close();
  expect(await everything(site)).toEqual(before);

  await site.query('delete from audit_source_positions');
  const third = await site.ingest(service, { groupId: newName('group') });
  await caughtUp(third, { 0: 8 });
  expect(await everything(site)).toEqual(before);
  await expectSoundChain(service.database, tenant);
});

test('messages that are stored are not read again, although their offset is not committed to Kafka', async () => {
  await using site = await openSite();
  const service = await site.openService();
  const tenant = newTenant();
  // The first replica hangs at the worst moment: PostgreSQL has committed, and Kafka's offset is not updated.
  const stored: number[] = [];
  const first = await site.ingest(service, {
    offsetIntervalMs: 600_000,
    onStage: async (stage, [range]) => {
      if (stage !== 'committed') return;
      stored.push(range!.next);
      await new Promise(() => undefined);
    },
    drainMs: 50,
  });
  await site.produce([sent(anEvent(tenant)), sent(anEvent(tenant))]);
  await until(() => stored.length > 0, { timeoutMs: 20_000 });
  const closing = first.close();
  const batches: number[] = [];
  const second = await site.ingest(await site.openService(), {
    observer: { onBatch: ({ from }) => batches.push(from) },
  });
  await site.produce([sent(anEvent(tenant))]);
  await caughtUp(second, { 0: 3 });
  await closing;
  expect(batches[0]).toBe(stored[0]);
  expect(await expectSoundChain(service.database, tenant)).toHaveLength(4);
});

test('after an error during the commit the batch is tried again, and nothing is stored twice', async () => {
  await using site = await openSite();
  const service = await site.openService();
  const tenant = newTenant();
  let failures = 3;
  const retries: string[] = [];
  const ingest = await site.ingest(service, {
    observer: { onRetry: (reason) => retries.push(reason) },
    onStage: (stage) => {
      if (stage === 'committed' && failures-- > 0) throw new Error('the outcome of the commit is unknown');
    },
  });
  await site.produce(mixture(tenant));
  await caughtUp(ingest, { 0: 8 });
  await until(() => failures < 0, { timeoutMs: 20_000 });
  expect(retries).toEqual(['unknown', 'unknown', 'unknown']);
  expect(await chainedOf(service, tenant)).toHaveLength(1 + 3 + 2);
});

test('a topic that is deleted and created again is read from its start', async () => {
  await using site = await openSite();
  const service = await site.openService();
  const tenant = newTenant();
  const ingest = await site.ingest(service);
  await site.produce([sent(anEvent(tenant)), sent(anEvent(tenant)), sent(anEvent(tenant))]);
  await caughtUp(ingest, { 0: 3 });
  await until(async () => (await committedOf(site)) === 3n, { timeoutMs: 20_000 });
  await site.admin.deleteTopics({ topics: [site.topic] });
  await until(() => site.admin.createTopics({ topics: [site.topic], partitions: 1 }), { timeoutMs: 20_000 });
  const event = anEvent(tenant);
  await until(() => site.produce([sent(event)]).then(() => true), { timeoutMs: 20_000 });
  await until(async () => (await recordsOf(service.database, tenant)).length === 5, { timeoutMs: 30_000 });
  const records = await expectSoundChain(service.database, tenant);
  expect(records.at(-1)!.event.audit_id).toBe(event.audit_id);
  expect((await positionsOf(site)).sort()).toEqual([1, 3]);
  expect(ingest.status().notReadyReasons).toEqual([]);
});

async function committedOf(site: Site): Promise<bigint | undefined> {
  const groups = await site.admin.listConsumerGroupOffsets({
    groups: [{ groupId: site.groupId, topics: [{ name: site.topic, partitionIndexes: [0] }] }],
  });
  return groups[0]?.topics[0]?.partitions[0]?.committedOffset;
}

async function dropUpTo(site: Site, offset: number): Promise<void> {
  await site.admin.deleteRecords({
    topics: [{ name: site.topic, partitions: [{ partition: 0, offset: BigInt(offset) }] }],
  });
}

test('a range that the broker deleted unread is chained as lost once, with its exact offsets', async () => {
  await using site = await openSite();
  const serviceTenant = newTenant('service');
  const service = await site.openService({ serviceTenant });
  const tenant = newTenant();
  const events = Array.from({ length: 10 }, () => anEvent(tenant));
  const first = await site.ingest(service);
  await site.produce(events.slice(0, 4).map((event) => sent(event)));
  await caughtUp(first, { 0: 4 });
  await first.close();
  await site.produce(events.slice(4).map((event) => sent(event)));
  await dropUpTo(site, 7);

  const lost: object[] = [];
  const second = await site.ingest(service, { observer: { onLost: (range) => lost.push(range) } });
  await caughtUp(second, { 0: 10 });
  await second.close();
  expect(lost).toEqual([{ topic: site.topic, partition: 0, from: 4, next: 7 }]);
  const kept = [...events.slice(0, 4), ...events.slice(7)].map(({ audit_id }) => audit_id);
  const records = await expectSoundChain(service.database, tenant);
  expect(records.slice(1).map(({ event }) => event.audit_id)).toEqual(kept);
  const lossRecords = async () => {
    const [, ...own] = await expectSoundChain(service.database, serviceTenant);
    return own.map(({ event: { event_type, target_id, metadata } }) => ({ event_type, target_id, metadata }));
  };
  const record = {
    event_type: 'source.lost',
    target_id: site.topic,
    metadata: expect.objectContaining({
      topic: site.topic,
      partition: 0,
      from: 4,
      to: 6,
      offsets: 3,
      cluster_id: site.kafka.clusterId,
    }),
  };
  expect(await lossRecords()).toEqual([record]);

  // Noticed again from the same position: the same record, which is chained already.
  await site.query('update audit_source_positions set next_offset = 4 where topic = $1', [site.topic]);
  const third = await site.ingest(service, { groupId: newName('group') });
  await caughtUp(third, { 0: 10 });
  expect(await lossRecords()).toEqual([record]);
});

test('a log that ends before the stored position stops its partition, and the reason names both offsets', async () => {
  await using site = await openSite();
  const service = await site.openService();
  const tenant = newTenant();
  const first = await site.ingest(service);
  await site.produce([sent(anEvent(tenant)), sent(anEvent(tenant))]);
  await caughtUp(first, { 0: 2 });
  await first.close();
  // As after a cluster was restored: the log lacks messages that the store has.
  await site.query('update audit_source_positions set next_offset = 7 where topic = $1', [site.topic]);
  const second = await site.ingest(service);
  const stopped = () => second.status().partitions.some((each) => each.stopped !== undefined);
  await until(stopped, { timeoutMs: 20_000 });
  const [reason] = second.status().notReadyReasons;
  expect(reason).toContain(`${site.topic}/0 ends at 2, and the store stands at 7`);
  expect([...service.readinessChecks].flatMap((ask) => ask())).toEqual([reason]);
  await site.produce([sent(anEvent(tenant))]);
  expect(await positionsOf(site)).toEqual([7]);
  expect(await recordsOf(service.database, tenant)).toHaveLength(3);
});

test('a store that was restored from an older backup gets no messages until an operator allows it', async () => {
  await using site = await openSite();
  const service = await site.openService();
  const tenant = newTenant();
  const first = await site.ingest(service);
  await site.produce([sent(anEvent(tenant)), sent(anEvent(tenant)), sent(anEvent(tenant))]);
  await caughtUp(first, { 0: 3 });
  await first.close();
  expect(await committedOf(site)).toBe(3n);
  await site.query('update audit_source_positions set next_offset = 1 where topic = $1', [site.topic]);

  const second = await site.ingest(service);
  await until(() => second.status().state === 'stopped', { timeoutMs: 20_000 });
  expect(second.status().stopped).toMatchObject({
    code: 'SOURCE_AHEAD_OF_STORE',
    message: expect.stringContaining(`${site.topic}/0 had been stored up to 3, and the store stands at 1`),
  });
  expect(second.status().notReadyReasons).toHaveLength(1);
  await second.close();
  expect(await positionsOf(site)).toEqual([1]);

  const third = await site.ingest(service, { acceptRestored: true });
  await caughtUp(third, { 0: 3 });
  expect(third.status().notReadyReasons).toEqual([]);
  expect(await expectSoundChain(service.database, tenant)).toHaveLength(4);
});

test('a store that goes back during the ingest stops it too', async () => {
  await using site = await openSite();
  const service = await site.openService();
  const tenant = newTenant();
  const ingest = await site.ingest(service);
  await site.produce([sent(anEvent(tenant)), sent(anEvent(tenant)), sent(anEvent(tenant))]);
  await caughtUp(ingest, { 0: 3 });
  await site.query('update audit_source_positions set next_offset = 1 where topic = $1', [site.topic]);
  await site.produce([sent(anEvent(tenant))]);
  await until(() => ingest.status().state === 'stopped', { timeoutMs: 20_000 });
  expect(ingest.status().stopped?.code).toBe('SOURCE_AHEAD_OF_STORE');
  expect(await positionsOf(site)).toEqual([1]);
});

test('closing waits for the transaction in flight, commits the offset, and leaves the group', async () => {
  await using site = await openSite();
  const service = await site.openService();
  const tenant = newTenant();
  let reached!: () => void;
  const inTransaction = new Promise<void>((resolve) => {
    reached = resolve;
  });
  let release!: () => void;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const ingest = await site.ingest(service, {
    offsetIntervalMs: 600_000,
    onStage: async (stage) => {
      if (stage !== 'committing') return;
      reached();
      await held;
    },
  });
  await site.produce([sent(anEvent(tenant)), sent(anEvent(tenant))]);
  await inTransaction;
  const closing = ingest.close();
  expect(ingest.close()).toBe(closing);
  expect(ingest.status().state).toBe('closing');
  release();
  await closing;
  const [position] = await positionsOf(site);
  expect(position).toBeGreaterThan(0);
  expect(await committedOf(site)).toBe(BigInt(position!));
  const groups = await site.admin.describeGroups({ groups: [site.groupId] });
  expect(groups.get(site.groupId)?.members.size).toBe(0);
  expect(ingest.status()).toMatchObject({ state: 'closed', notReadyReasons: [] });
  expect(service.readinessChecks.size).toBe(0);
});

test('a member that was removed from the group joins again', async () => {
  await using site = await openSite();
  const service = await site.openService();
  const tenant = newTenant();
  const ingest = await site.ingest(service);
  await site.produce([sent(anEvent(tenant))]);
  await caughtUp(ingest, { 0: 1 });
  await removeMembers(site.admin, site.groupId);
  await until(() => ingest.status().rebalances > 1, { timeoutMs: 20_000 });
  await site.produce([sent(anEvent(tenant))]);
  await caughtUp(ingest, { 0: 2 });
  expect(ingest.status().notReadyReasons).toEqual([]);
});

async function removeMembers(admin: Admin, groupId: string): Promise<void> {
  await admin.removeMembersFromConsumerGroup({ groupId });
}

test('an event becomes a dead letter if its chain is found to be stopped in the transaction', async () => {
  await using site = await openSite();
  const service = await site.openService();
  const [stopped, other] = [newTenant('stopped'), newTenant('other')];
  await chainOne(service, stopped);
  // The head is damaged, which is noticed only once it is locked.
  await site.query(`update audit_chain_state set frontier = '\\x00'::bytea where tenant_id = $1`, [stopped]);
  const ingest = await site.ingest(service);
  await site.produce([sent(anEvent(other)), sent(anEvent(stopped)), sent(anEvent(other))]);
  await caughtUp(ingest, { 0: 3 });
  expect(await site.query('select reason, tenant_id from audit_dead_letters')).toEqual([
    { reason: 'CHAIN_STOPPED', tenant_id: stopped },
  ]);
  expect(await expectSoundChain(service.database, other)).toHaveLength(3);
});

async function chainOne(service: AuditService, tenantId: string): Promise<void> {
  await service.submit({ events: [JSON.stringify(anEvent(tenantId))], source: 'test', trust: 'operator' });
}
