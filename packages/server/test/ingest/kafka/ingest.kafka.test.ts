import { Producer } from '@platformatic/kafka';
import { type AuditEvent, uuidv7 } from '@tallystick/event';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHttpApp, ServiceMetrics } from '../../../src/http/index.ts';
import { type IngestBatch, KafkaMetrics } from '../../../src/kafka.ts';
import { expectSoundChain } from '../../chains.ts';
import { anEvent, newTenant } from '../../events.ts';
import { caughtUp, newName, openSite, type Site, sent } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await openSite();
}, 120_000);
afterAll(() => site?.[Symbol.asyncDispose]());

test('a message becomes a record that says where it came from, and its producer is accounted for', async () => {
  const service = await site.openService();
  const batches: IngestBatch[] = [];
  const ingest = await site.ingest(service, {
    observer: { onBatch: (batch) => batches.push(batch) },
  });
  const tenant = newTenant();
  const producer_id = uuidv7();
  const events = Array.from({ length: 100 }, () => anEvent(tenant));
  await site.produce(
    events.map((event, index) =>
      sent(event, {
        'tallystick-producer-id': producer_id,
        'tallystick-producer-seq': String(index + 1),
        'tallystick-service': 'cms',
      }),
    ),
  );
  await caughtUp(ingest, { 0: 100 });
  const records = (await expectSoundChain(service.database, tenant))
    .slice(1)
    .filter(({ event }) => event.event_type !== 'audit.accounts_changed');
  expect(records.map(({ event }) => event.audit_id)).toEqual(events.map(({ audit_id }) => audit_id));
  const { nonce: _, ...ingested } = records[41]!.ingest;
  expect(ingested).toEqual({
    source: `kafka:${site.kafka.clusterId}/${site.topic}/0/41`,
    trust: 'topic-acl',
    producer_id,
    producer_seq: 42,
  });
  expect(await site.query('select submitter, service, settled_to from audit_producers')).toEqual([
    { submitter: `kafka:${site.kafka.clusterId}/${site.topic}`, service: 'cms', settled_to: '100' },
  ]);
  expect(batches.map(({ items }) => items).reduce((sum, items) => sum + items, 0)).toBe(100);
  expect(ingest.status()).toMatchObject({ state: 'consuming', stopped: undefined, notReadyReasons: [] });
});

test('the messages of an aborted transaction are not chained, and the position passes them', async () => {
  await using own = await openSite();
  const service = await own.openService();
  const ingest = await own.ingest(service);
  const tenant = newTenant();
  const [aborted, committed] = [anEvent(tenant), anEvent(tenant)];
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: own.kafka.bootstrap,
    idempotent: true,
    transactionalId: newName('transaction'),
  });
  const write = async (event: AuditEvent) => {
    const transaction = await producer.beginTransaction();
    const message = { topic: own.topic, key: Buffer.from(tenant), value: Buffer.from(JSON.stringify(event)) };
    await transaction.send({ messages: [message] });
    return transaction;
  };
  await (await write(aborted)).abort();
  await (await write(committed)).commit();
  await producer.close();
  // Two events and the two records that end their transactions.
  await caughtUp(ingest, { 0: 4 });
  const [, ...records] = await expectSoundChain(service.database, tenant);
  expect(records.map(({ event }) => event.audit_id)).toEqual([committed.audit_id]);
});

test('metrics and readiness show the progress', async () => {
  await using own = await openSite();
  const service = await own.openService();
  const metrics = new ServiceMetrics({ process: false });
  const kafka = new KafkaMetrics(metrics);
  let hold = true;
  const ingest = await own.ingest(service, {
    observer: kafka,
    onStage: (stage) => {
      if (hold && stage === 'committing') throw new Error('not yet');
    },
  });
  kafka.watch(ingest);
  const app = createHttpApp(service, { logger: false, metrics });
  const ready = async () => {
    const answer = await app.inject('/ready');
    return { code: answer.statusCode, reasons: (answer.json() as { reasons: string[] }).reasons };
  };
  const sample = async (name: string) => {
    const lines = (await metrics.registry.metrics()).split('\n');
    return lines
      .find((line) => line.startsWith(name))
      ?.split(' ')
      .at(-1);
  };
  const partition = `{topic="${own.topic}",partition="0"}`;
  await own.produce([sent(anEvent(newTenant())), { key: 'acme', value: 'poison' }]);
  await until(async () => (await ready()).reasons.some((reason) => reason.includes("can't be stored")), {
    timeoutMs: 20_000,
  });
  expect((await ready()).code).toBe(503);
  expect(await sample(`tallystick_kafka_lag_messages${partition}`)).toBe('2');
  expect(Number(await sample('tallystick_kafka_obstacles'))).toBe(1);
  hold = false;
  await caughtUp(ingest, { 0: 2 });
  await until(async () => (await ready()).code === 200, { timeoutMs: 20_000 });
  expect(await sample(`tallystick_kafka_lag_messages${partition}`)).toBe('0');
  expect(await sample(`tallystick_kafka_position${partition}`)).toBe('2');
  expect(await sample(`tallystick_kafka_stopped${partition}`)).toBe('0');
  expect(await sample('tallystick_kafka_rebalances_total')).toBe('1');
  expect(await sample('tallystick_kafka_batch_messages_sum')).toBe('2');
  expect(Number(await sample('tallystick_kafka_retries_total{reason="unknown"}'))).toBeGreaterThan(1);
  await app.close();
});
