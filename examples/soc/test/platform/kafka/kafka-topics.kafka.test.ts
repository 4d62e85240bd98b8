import { createHash } from 'node:crypto';
import { Admin, ConfigResourceTypes, Consumer, Producer } from '@platformatic/kafka';
import { createTestAudit } from '@tallystick/sdk/testing';
import { sharedKafka } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { deadLetterRecords } from '../../../src/platform/dead-letter-records.ts';
import { createIds } from '../../../src/platform/ids.ts';
import { KafkaTopics } from '../../../src/platform/kafka/kafka-topics.ts';
import {
  createTopics,
  deadLetterTopicOf,
  maxKeyBytes,
  maxMessageBytes,
  topicNames,
} from '../../../src/platform/kafka/topic-settings.ts';
import { messageIdHeader } from '../../../src/platform/kafka/topic-writer.ts';
import { Recorder, taxonomy } from '../../../src/platform/recorder.ts';
import { RepeatableIds } from '../../../src/platform/repeatable-ids.ts';
import { TenantDirectory } from '../../../src/platform/tenants.ts';
import type { DeadLetter, Message } from '../../../src/platform/topics.ts';
import { describeTopicBus, message, patiently } from '../topic-bus-contract.ts';

// A busy broker may be slow.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

let brokers: readonly string[];
let opened = 0;
const prefixOf = (number: number) => `soc-${process.pid}-${number}.`;

beforeAll(async () => {
  ({ bootstrap: brokers } = await sharedKafka());
});

async function open() {
  const prefix = prefixOf(opened++);
  await createTopics(brokers, prefix);
  const bus = new KafkaTopics({
    brokers,
    prefix,
    sessionTimeoutMs: 3_000,
    backoff: { firstMs: 1, maxMs: 50 },
  });
  const letters: DeadLetter[] = [];
  const reader = new Consumer({ clientId: 'test', groupId: `${prefix}test`, bootstrapBrokers: [...brokers] });
  const stream = await reader.consume({
    topics: [prefix + deadLetterTopicOf('alerts.raw')],
    mode: 'earliest',
    autocommit: true,
  });
  stream.on('data', ({ value }) => void letters.push(JSON.parse(value.toString())));
  return {
    bus,
    prefix,
    deadLetters: async () => letters,
    async close() {
      await bus.close();
      await reader.close(true);
    },
  };
}

describeTopicBus(open);

test('a subscription that is ended while it joins its group does not wait for a message', {
  timeout: 30_000,
}, async () => {
  const { bus, close } = await open();
  const ends = await Promise.all(
    Array.from({ length: 3 }, (_, at) => bus.subscribe('alerts.raw', `joining-${at}`, async () => {})),
  );
  await Promise.all(ends.map((end) => end()));
  await close();
});

const producer = () => new Producer({ clientId: 'test', bootstrapBrokers: [...brokers] });
const opens: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(opens.map((one) => one.close())));

test('topics have the stated settings, and creating them again changes nothing', async () => {
  const prefix = prefixOf(opened++);
  await Promise.all([createTopics(brokers, prefix), createTopics(brokers, prefix)]);
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...brokers] });
  opens.push(admin);
  const expected = topicNames.flatMap((topic) => [`${prefix}${topic}`, `${prefix}${topic}.dlq`]);
  // The metadata of a broker lags behind its controller.
  await patiently('all topics', async () => {
    const known = new Set(await admin.listTopics());
    return expected.every((topic) => known.has(topic));
  });
  const [described] = await admin.describeConfigs({
    resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: `${prefix}alerts.raw.dlq` }],
  });
  const configs = Object.fromEntries(described!.configs.map(({ name, value }) => [name, value]));
  expect(configs).toMatchObject({
    'retention.ms': String(90 * 24 * 60 * 60 * 1000),
    'message.timestamp.type': 'LogAppendTime',
    'cleanup.policy': 'delete',
  });
});

test('bytes that are no message become dead letters with a record in the trail of the platform', async () => {
  const { bus, prefix, deadLetters, close } = await open();
  opens.push({ close });
  const audit = createTestAudit({ taxonomy });
  const ids = new RepeatableIds('entity-parser', createIds({ now: Date.now }));
  const recorder = new Recorder('entity-parser', ids, audit.emitter);
  const tenants = new TenantDirectory([{ id: 'acme', tier: 'trial', shadow: false }]);
  bus.recordDeadLetter = deadLetterRecords(() => recorder, tenants);
  const handled: string[] = [];
  await bus.subscribe('alerts.raw', 'entity-parser', async ({ key }) => void handled.push(key));

  const hostile: (Buffer | undefined)[] = [
    undefined,
    Buffer.from([0xff, 0xfe, 0x00]),
    Buffer.from('{"lineage":'),
    Buffer.from('null'),
    Buffer.from('{"value":{}}'),
    Buffer.from('{"lineage":{"tenantId":"acme","correlationId":"c","traceId":"\\u001b[2J"},"value":{}}'),
    Buffer.from('{"lineage":"its key is too long"}'),
    Buffer.from('{"lineage":"its header has no value"}'),
  ];
  const writer = producer();
  const topic = `${prefix}alerts.raw`;
  for (const value of hostile) {
    // Each byte that is not UTF-8 has three bytes in a text, and more in JSON.
    const key = value?.includes('key') ? Buffer.alloc(maxMessageBytes, 0xff) : Buffer.from('same');
    const headers = value?.includes('header') && new Map([[Buffer.from(messageIdHeader), undefined]]);
    await writer.send({
      // The client library takes minutes to find the partition of a long key.
      messages: [{ topic, partition: 0, key, ...(value && { value }), ...(headers && { headers }) }] as never,
      autocreateTopics: false,
    });
  }
  await writer.close();
  await bus.publish('alerts.raw', message('same'));
  await patiently('the good message', () => handled.length === 1);
  await patiently('all dead letters', async () => (await deadLetters()).length === hostile.length);

  const letters = await deadLetters();
  expect(new Set(letters.map(({ code }) => code))).toEqual(new Set(['MESSAGE_UNREADABLE']));
  expect(letters.map(({ value }) => value)).toContainEqual({
    base64: Buffer.from([0xff, 0xfe, 0x00]).toString('base64'),
  });
  expect(audit.events).toHaveLength(hostile.length);
  expect(letters.map(({ audit_id }) => audit_id).toSorted()).toEqual(
    audit.events.map(({ audit_id }) => audit_id).toSorted(),
  );
  for (const event of audit.events) {
    expect(event).toMatchObject({
      event_type: 'alert.classified',
      tenant_id: 'soc-platform',
      decision: { classification: 'invalid' },
      outcome: { error_code: 'MESSAGE_UNREADABLE', action_taken: 'dead_letter' },
    });
  }
});

test('a message that is too large is refused at once; the largest one arrives, also as a dead letter', async () => {
  const { bus, prefix, deadLetters, close } = await open();
  opens.push({ close });
  await expect(
    bus.publish('alerts.raw', message('large', 'x'.repeat(maxMessageBytes))),
  ).rejects.toMatchObject({
    code: 'MESSAGE_TOO_LARGE',
  });
  await expect(bus.publish('alerts.raw', message('k'.repeat(maxKeyBytes + 1)))).rejects.toMatchObject({
    code: 'MESSAGE_TOO_LARGE',
  });
  const frame = Buffer.byteLength(JSON.stringify({ ...message('k', ''), key: undefined }));
  await bus.subscribe('alerts.raw', 'parser', async () => {
    throw new Error('x'.repeat(2 * maxMessageBytes));
  });
  await bus.publish('alerts.raw', message('k', 'y'.repeat(maxMessageBytes - frame)));
  const [letter] = (await patiently('the dead letter', async () => {
    const all = await deadLetters();
    return all.length > 0 && all;
  })) as DeadLetter[];
  expect(letter).toMatchObject({ key: 'k', code: 'HANDLER_FAILED', value: { source: 'wazuh' } });

  // In JSON, the service writes 1e20 with 21 digits: the message is too large to be repeated.
  const { lineage } = message('grows');
  const value = Buffer.from(`{"lineage":${JSON.stringify(lineage)},"value":[${'1e20,'.repeat(200_000)}0]}`);
  const writer = producer();
  await writer.send({
    messages: [{ topic: `${prefix}alerts.raw`, key: Buffer.from('grows'), value }] as never,
  });
  await writer.close();
  await patiently('the second dead letter', async () => (await deadLetters()).length === 2);
  const { value: repeated, ...rest } = (await deadLetters())[1]!;
  expect(repeated).toBeUndefined();
  expect(rest).toMatchObject({
    ...{ key: 'grows', lineage, code: 'HANDLER_FAILED' },
    value_sha256: createHash('sha256').update(value).digest('hex'),
  });
});

test('what a consumer did not finish is delivered again, with the same ids', async () => {
  const prefix = prefixOf(opened++);
  await createTopics(brokers, prefix);
  const open = () =>
    new KafkaTopics({ brokers, prefix, sessionTimeoutMs: 3_000, backoff: { firstMs: 1, maxMs: 50 } });
  const ids = new RepeatableIds('parser', createIds({ now: Date.now }));
  const drawn: string[][] = [];
  const first = open();
  let started = () => {};
  const isHandling = new Promise<void>((resolve) => {
    started = resolve;
  });
  await first.subscribe('alerts.raw', 'parser', async () => {
    drawn.push([ids.next(), ids.next('call'), ids.next()]);
    started();
    throw new Error('the process ends before it has handled the message');
  });
  await first.publish('alerts.raw', message('k'));
  await isHandling;
  await first.close();

  const second = open();
  opens.push(second);
  const again: Message<unknown>[] = [];
  await second.subscribe('alerts.raw', 'parser', async (received) => {
    drawn.push([ids.next(), ids.next('call'), ids.next()]);
    again.push(received);
  });
  await patiently('the second delivery', () => again.length > 0);
  expect(again[0]).toMatchObject(message('k'));
  expect(new Set(drawn.map((all) => JSON.stringify(all)))).toHaveLength(1);
  expect(new Set(drawn[0])).toHaveLength(3);
});
