import { Admin, Consumer, Producer } from '@platformatic/kafka';
import { sharedKafka, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { AtlasDetection } from '../../../src/atlas-detection/atlas-detection.ts';
import { DurableDocuments } from '../../../src/platform/durable/durable-documents.ts';
import { DurableStore } from '../../../src/platform/durable/store.ts';
import { DurableKafkaTopics } from '../../../src/platform/kafka/durable-kafka-topics.ts';
import { encodeMessage } from '../../../src/platform/kafka/message-bytes.ts';
import { createTopics, deadLetterTopicOf } from '../../../src/platform/kafka/topic-settings.ts';
import { messageIdHeader } from '../../../src/platform/kafka/topic-writer.ts';
import type { DeadLetter, Message } from '../../../src/platform/topics.ts';
import { newLineage, testParts } from '../../platform-parts.ts';
import { describeTopicBus, message, patiently } from '../topic-bus-contract.ts';

// A busy broker may be slow.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

let brokers: readonly string[];
let opened = 0;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  ({ bootstrap: brokers } = await sharedKafka());
});
afterAll(async () => {
  for (const close of closing) await close();
});

/** A service's topics and its store, which outlives a process. */
async function open() {
  const prefix = `soc-durable-${process.pid}-${opened++}.`;
  const directory = tempDir();
  await createTopics(brokers, prefix);
  const start = () => {
    const store = new DurableStore(directory.path);
    const topics = new DurableKafkaTopics(store, {
      brokers,
      prefix,
      sessionTimeoutMs: 3_000,
      backoff: { firstMs: 1, maxMs: 50 },
    });
    return { store, topics };
  };
  const { store, topics } = start();
  const letters: DeadLetter[] = [];
  const reader = new Consumer({ clientId: 'test', groupId: `${prefix}test`, bootstrapBrokers: [...brokers] });
  const stream = await reader.consume({
    topics: [prefix + deadLetterTopicOf('alerts.raw')],
    mode: 'earliest',
    autocommit: true,
  });
  stream.on('data', ({ value }) => void letters.push(JSON.parse(value.toString())));
  return {
    bus: topics,
    store,
    prefix,
    start,
    deadLetters: async () => letters,
    async close() {
      await topics.close();
      store.close();
      await reader.close(true);
      directory.remove();
    },
  };
}

describeTopicBus(open);

/** Writes messages with ids of the test's choice. */
async function write(topic: string, messages: readonly { id: string; message: Message<unknown> }[]) {
  const producer = new Producer({ clientId: 'test', bootstrapBrokers: [...brokers] });
  await producer.send({
    messages: messages.map(({ id, message }) => ({
      topic,
      key: Buffer.from(message.key),
      value: encodeMessage(message),
      headers: new Map([[Buffer.from(messageIdHeader), Buffer.from(id)]]),
    })),
  });
  await producer.close();
}

test('a message that is published twice is handled once; another with a copied id is handled, too', async () => {
  const opened = await open();
  closing.push(opened.close);
  const { bus, store, prefix } = opened;
  const documents = new DurableDocuments<{ times: number }>(store, 'seen');
  const seen: string[] = [];
  await bus.subscribe('alerts.raw', 'service', async ({ key, value }) => {
    seen.push(JSON.stringify(value.payload));
    const times = (await documents.get('acme', key))?.times ?? 0;
    await documents.put('acme', key, { times: times + 1 });
  });
  const one = { id: 'one', message: message('k', 'first') };
  await write(`${prefix}alerts.raw`, [
    one,
    one,
    { id: 'one', message: message('k', 'a copied id') },
    { id: 'last', message: message('k', 'last') },
  ]);
  await patiently('the last message', () => seen.includes('"last"'));
  expect(seen).toEqual(['"first"', '"a copied id"', '"last"']);
  expect(await documents.get('acme', 'k')).toEqual({ times: 3 });
});

test('after a crash between the end of the work and the commit of the offset, the message is not handled again', async () => {
  const opened = await open();
  const { bus, store, prefix, start } = opened;
  const seen: string[] = [];
  const handler = async ({ key }: { key: string }) => void seen.push(key);
  await bus.subscribe('alerts.raw', 'service', handler);
  await write(`${prefix}alerts.raw`, [{ id: 'one', message: message('k') }]);
  await patiently('the first message', () => seen.length === 1);
  await bus.close();
  store.close();
  // The broker forgets the offset, as if the process had been killed before it committed.
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...brokers] });
  await admin.deleteGroups({ groups: [`${prefix}service.alerts.raw`] });
  await admin.close();

  const next = start();
  closing.push(async () => {
    await next.topics.close();
    next.store.close();
  });
  await next.topics.subscribe('alerts.raw', 'service', handler);
  await write(`${prefix}alerts.raw`, [{ id: 'two', message: message('k', 'another') }]);
  await patiently('the second message', () => seen.length === 2);
  expect(seen).toEqual(['k', 'k']);
});

test('work that fails publishes nothing and changes nothing; work that succeeds publishes once', async () => {
  const opened = await open();
  closing.push(opened.close);
  const { bus } = opened;
  const received: string[] = [];
  await bus.subscribe('alerts.normalized', 'next', async ({ key }) => void received.push(key));
  let calls = 0;
  await bus.subscribe('alerts.raw', 'service', async ({ key, lineage }) => {
    await bus.publish('alerts.normalized', { key: `${key} ${++calls}`, lineage, value: {} as never });
    if (calls < 3) throw new Error('it fails');
  });
  await bus.publish('alerts.raw', message('k'));
  await patiently('the message of the third call', () => received.length > 0);
  expect(received).toEqual(['k 3']);
});

test('telemetry that is delivered again is not counted again', async () => {
  const opened = await open();
  closing.push(opened.close);
  const { bus, store, prefix } = opened;
  const parts = { ...testParts(), topics: bus, units: store };
  const detections: string[] = [];
  await bus.subscribe(
    'atlas.detections',
    'test',
    async ({ value }) => void detections.push(...value.evidence),
  );
  const atlas = new AtlasDetection(parts);
  await atlas.start();
  const request = (key: string, count: number) => ({
    id: key,
    message: {
      key: 'k',
      lineage: newLineage(),
      value: {
        time: new Date(parts.clock.now()).toISOString(),
        kind: 'inference.request',
        subject: 'model-1',
        trusted: true,
        measures: { count, distinct_ratio: 0.9 },
        attributes: {},
      },
    },
  });
  const first = request('first', 600);
  await write(`${prefix}telemetry.raw`, [first, first, first, request('second', 400)]);
  await patiently('the detection', () => detections.length > 0);
  expect(detections).toEqual([expect.stringContaining('distinct 1000, threshold 1000')]);
  await atlas.stop();
});
