import { Admin, type Connection, ProduceAcks, Producer } from '@platformatic/kafka';
import { sharedKafka, until } from '@tallystick/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Brokers, type Topic } from '../../../src/kafka-client/brokers.ts';
import type { Broker } from '../../../src/kafka-client/connection.ts';
import type { FetchOptions } from '../../../src/kafka-client/fetch/broker-fetcher.ts';
import { Fetcher } from '../../../src/kafka-client/fetch/fetcher.ts';
import { PartitionReader } from '../../../src/kafka-client/fetch/partition-reader.ts';
import { newName } from '../../ingest/kafka/site.ts';

/** Counts requests. */
class WatchedBrokers extends Brokers {
  readonly connections: Connection[] = [];
  requests = 0;

  override async open(broker: Broker, timeoutMs?: number): Promise<Connection> {
    const connection = await super.open(broker, timeoutMs);
    this.connections.push(connection);
    const send = connection.send.bind(connection) as (...args: unknown[]) => void;
    connection.send = ((...args: unknown[]) => {
      this.requests++;
      send(...args);
    }) as typeof connection.send;
    return connection;
  }
}

const waitMs = 3_000;
const partitions = 4;
let bootstrapBrokers: string[];
let admin: Admin;
let producer: Producer;
beforeAll(async () => {
  ({ bootstrap: bootstrapBrokers } = await sharedKafka());
  admin = new Admin({ clientId: 'test', bootstrapBrokers });
  producer = new Producer({ clientId: 'test', bootstrapBrokers, acks: ProduceAcks.ALL });
}, 180_000);
afterAll(async () => {
  await producer?.close();
  await admin?.close();
});

let brokers: WatchedBrokers;
let fetcher: Fetcher;
let topic: Topic;
let leader: Broker;
const never = new AbortController().signal;
beforeEach(async () => {
  const name = newName('fetches');
  await admin.createTopics({ topics: [name], partitions });
  brokers = new WatchedBrokers({ bootstrapBrokers });
  leader = await until(() => brokers.leaderOf(name, 0, true));
  topic = (await brokers.describe([name])).get(name)!;
  await untilLed();
  fetcher = new Fetcher(brokers, waitMs);
  brokers.connections.length = 0;
  brokers.requests = 0;
});
afterEach(async () => {
  fetcher.close();
  brokers.close();
  await admin.deleteTopics({ topics: [topic.name] });
});

async function produce(partition: number, ...values: (string | Buffer)[]): Promise<void> {
  // One batch per value.
  for (const value of values) {
    await producer.send({ messages: [{ topic: topic.name, partition, value: Buffer.from(value) }] });
  }
}

/** Waits until the broker knows that it leads the new partitions: others learn it earlier. */
async function untilLed(): Promise<void> {
  const asking = new Fetcher(brokers, 0);
  const isLed = async (partition: number) =>
    (await asking.fetch(leader, part(partition), options)).errorCode === 0;
  await until(async () => (await Promise.all([0, 1, 2, 3].map(isLed))).every(Boolean));
  asking.close();
}

const options: FetchOptions = { signal: never, alone: false };
const part = (partition: number, from = 0) => ({
  topicId: topic.id,
  partition,
  from,
  leaderEpoch: undefined,
  maxBytes: 1_000_000,
});

test('fetches at the same time share a request, and each gets the messages of its partition', async () => {
  // So long that a copy does not share a memory pool.
  const text = (partition: number) => `to ${partition}`.padEnd(100_000);
  for (let partition = 0; partition < partitions; partition++) await produce(partition, text(partition));
  const asked = [0, 1, 2, 3].map((partition) => fetcher.fetch(leader, part(partition), options));
  const answers = await Promise.all(asked);
  expect(brokers.requests).toBe(1);
  for (const [partition, { errorCode, records, lastStableOffset }] of answers.entries()) {
    expect(errorCode).toBe(0);
    expect(lastStableOffset).toBe(1);
    expect(records.toString('latin1')).toContain(text(partition));
  }
  // No partition keeps the buffer of the whole response.
  expect(new Set(answers.map(({ records }) => records.buffer)).size).toBe(partitions);
});

test('a request is for at most eight partitions', async () => {
  for (let partition = 0; partition < partitions; partition++) await produce(partition, 'something');
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => fetcher.fetch(leader, part(index % partitions), options)),
  );
  expect(brokers.requests).toBe(3);
});

test('a fetch that the broker refuses does not affect the others of its request', async () => {
  await produce(1, 'fine');
  const [refused, gone, fine] = await Promise.all([
    fetcher.fetch(leader, part(0, 77), options),
    fetcher.fetch(leader, { ...part(0), partition: 99 }, options),
    fetcher.fetch(leader, part(1), options),
  ]);
  expect(brokers.requests).toBe(1);
  expect(refused.errorCode).toBe(1);
  expect(gone.errorCode).not.toBe(0);
  expect(fine.errorCode).toBe(0);
  expect(fine.records.toString('latin1')).toContain('fine');
});

test('a fetch is not delayed by a request that waits for messages', async () => {
  await produce(1, 'here already');
  const waiting = new AbortController();
  const idle = fetcher.fetch(leader, part(0), { ...options, signal: waiting.signal });
  await expect.poll(() => brokers.requests).toBe(1);
  const first = await Promise.race([idle, fetcher.fetch(leader, part(1), options)]);
  expect(first.records.toString('latin1')).toContain('here already');
  waiting.abort();
  await expect(idle).rejects.toMatchObject({ code: 'CLOSED' });
});

test('if a connection breaks, its fetches fail, and the next request opens another one', async () => {
  const waiting = [0, 1].map((partition) => fetcher.fetch(leader, part(partition), options));
  const failed = Promise.allSettled(waiting);
  await expect.poll(() => brokers.requests).toBe(1);
  brokers.connections.at(-1)!.socket.destroy();
  expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await produce(0, 'again');
  expect((await fetcher.fetch(leader, part(0), options)).records.toString('latin1')).toContain('again');
});

test('closing fails the fetches in flight and all later ones', async () => {
  const waiting = fetcher.fetch(leader, part(0), options);
  const failed = expect(waiting).rejects.toThrow();
  await expect.poll(() => brokers.requests).toBe(1);
  fetcher.close();
  await failed;
  await expect(fetcher.fetch(leader, part(0), options)).rejects.toMatchObject({ code: 'CLOSED' });
});

test('a partition whose batches are longer than a fetch is read beside one that always has messages', async () => {
  const small = { fetchBytes: 20_000, maxBatchBytes: 1_000_000 };
  const long = Buffer.alloc(50_000, 'x');
  await produce(0, ...Array.from({ length: 8 }, () => Buffer.alloc(15_000, 'y')));
  await produce(1, long, long, long);
  const read = async (partition: number, count: number) => {
    const reader = new PartitionReader(brokers, fetcher, topic, partition, small);
    let at = 0;
    for (let tries = 0; at < count; tries++) {
      expect(tries).toBeLessThan(3 * count);
      at = (await reader.fetch(at, undefined)).next;
    }
    reader.close();
  };
  await Promise.all([read(0, 8), read(1, 3)]);
});
