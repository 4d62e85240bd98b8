import { Admin } from '@platformatic/kafka';
import { type Kafka, startKafka, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTopic } from './gateway-topic.ts';
import { event, Harness } from './harness.ts';

let kafka: Kafka;
let harness: Harness;
let key: string;
const topic = 'audit.gateway';
beforeAll(async () => {
  kafka = await startKafka();
  const connection = { bootstrapBrokers: kafka.bootstrap };
  harness = await Harness.open({ gateway: { connection, acknowledgeMs: 2_000, probeMs: 50 } });
  key = await harness.key(['acme'], 'events:write');
}, 240_000);
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await kafka?.stop();
});

const submit = (body: object) => harness.call('POST', '/v1/audit/events', { key, body });
const isReady = async () => (await harness.get('/ready')).status === 200;

test('an outage is answered with 503 while it lasts, and every accepted event is in the topic afterwards', async () => {
  const events = [event(), event(), event()];
  // The topic does not exist: readiness says so, until an operator has created it.
  await until(async () => /UNKNOWN_TOPIC/.test((await harness.get('/ready')).text), { what: 'the reason' });
  const missing = await submit(events[0]!);
  expect([missing.status, missing.json.code]).toEqual([503, 'BROKER_REFUSED']);
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: kafka.bootstrap });
  await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
  await admin.close();
  await until(isReady, { what: 'readiness once the topic is there' });
  expect((await submit(events[0]!)).status).toBe(202);

  // The broker is frozen: the client gets a Retry-After.
  const [broker] = kafka.brokers;
  await broker!.kill('SIGSTOP');
  const late = await submit(events[1]!);
  expect([late.status, late.json.code, late.headers.get('retry-after')]).toEqual([
    503,
    'BROKER_UNAVAILABLE',
    '1',
  ]);
  expect(await isReady()).toBe(false);
  // A client that needs its event chained does not depend on the broker.
  const headers = { prefer: 'chained' };
  const direct = await harness.call('POST', '/v1/audit/events', { key, body: event(), headers });
  expect([direct.status, direct.json.status]).toEqual([201, 'chained']);
  await broker!.kill('SIGCONT');
  await until(isReady, { what: 'readiness after the freeze' });
  expect((await submit(events[1]!)).status).toBe(202);

  // The broker is killed: its port refuses connections.
  await broker!.kill('SIGKILL');
  expect((await submit(events[2]!)).status).toBe(503);
  await broker!.start();
  await until(isReady, { timeoutMs: 60_000, what: 'readiness after the restart' });
  expect((await submit(events[2]!)).status).toBe(202);

  // Events that the frozen broker had received may be there twice. The chain drops duplicates.
  const ids = (messages: readonly { readonly value: string }[]) =>
    new Set(messages.map(({ value }) => JSON.parse(value).audit_id as unknown));
  const principal = `key:${key.split('_')[1]}`;
  const messages = await readTopic(
    kafka.bootstrap,
    topic,
    principal,
    (read) => ids(read).size === events.length,
  );
  expect(ids(messages)).toEqual(new Set(events.map(({ audit_id }) => audit_id)));
}, 180_000);
