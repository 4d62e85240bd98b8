import { Admin } from '@platformatic/kafka';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Kafka, sharedKafka, startKafka } from '../src/index.ts';
import { isAlive } from '../src/processes.ts';

let kafka: Kafka;

beforeAll(async () => {
  kafka = await startKafka({ nodes: 3 });
}, 120_000);
afterAll(() => kafka?.stop());

const admin = (bootstrapBrokers: string[]) => new Admin({ clientId: 'test', bootstrapBrokers });

test('three nodes form one cluster, which replicates and survives the loss of one node', async () => {
  const client = admin(kafka.bootstrap);
  const [topic] = await client.createTopics({ topics: ['replicated'], partitions: 4, replicas: 3 });
  expect(topic).toMatchObject({ partitions: 4, replicas: 3 });
  const broker = kafka.brokers[0]!;
  expect(broker.log).toContain(`Kafka version: ${process.env.KAFKA_VERSION ?? ''}`);
  const { pid } = broker;
  await broker.kill('SIGKILL');
  expect(isAlive(pid!)).toBe(false);
  expect((await client.metadata({ topics: ['replicated'] })).id).toBe(kafka.clusterId);
  await broker.start();
  expect(broker.pid).not.toBe(pid);
  await client.close();
}, 60_000);

test('the shared broker stays the same, and creates no topic automatically', async () => {
  const { bootstrap, clusterId } = await sharedKafka();
  const client = admin(bootstrap);
  expect((await client.metadata({ topics: [] })).id).toBe(clusterId);
  await expect(client.metadata({ topics: ['nobody-made-this'] })).rejects.toThrow();
  await client.close();
}, 60_000);
