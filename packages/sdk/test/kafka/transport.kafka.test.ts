import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { freePort, sharedKafka, until } from '@tallystick/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { createAuditEmitter } from '../../src/index.ts';
import { type KafkaTransportOptions, kafkaTransport } from '../../src/kafka.ts';
import type { Batch, Transport } from '../../src/transport/transport.ts';
import { someEvent } from '../support/events.ts';
import { runChild } from '../support/run-child.ts';
import { javaPartitions } from './java-partitions.ts';
import { chainable, newTopic, readTopic } from './topic.ts';

let bootstrap: string[];
beforeAll(async () => {
  bootstrap = (await sharedKafka()).bootstrap;
  // The broker must be ready for the tests that create no topic.
  await newTopic(bootstrap);
}, 120_000);

const never = new AbortController().signal;
const producerId = '019cb000-0000-7000-8000-000000000001';
const event = (tenant: string, n: number, filling = '') =>
  JSON.stringify({ tenant_id: tenant, audit_id: `id-${n}`, context: { n, filling } });
const batch = (events: readonly string[], delivery: Partial<Batch['delivery']> = {}): Batch => ({
  events,
  delivery: {
    ...{ producer_id: producerId, service: 'checkout', gaps: [], final: [] },
    sequences: events.map((_, index) => index + 1),
    ...delivery,
  },
});

/** Sends a batch with a new transport. */
async function send(options: Partial<KafkaTransportOptions>, ...batches: Batch[]): Promise<void> {
  const transport = kafkaTransport({ brokers: bootstrap, ...options });
  for (const each of batches) await transport.send(each, never);
  await transport.close();
}

describe('the topic', () => {
  test('contains each event with unchanged bytes, its tenant as the key and its delivery metadata in headers', async () => {
    const topic = await newTopic(bootstrap);
    const texts = [' { "tenant_id" : "acme", "audit_id": "a", "snow": "☃\\u0041" }', event('globex', 2)];
    const transport = kafkaTransport({ brokers: bootstrap.join(' , '), topic });
    expect(await transport.send(batch(texts, { sequences: [7, 8] }), never)).toEqual([
      { status: 'accepted', audit_id: 'a' },
      { status: 'accepted', audit_id: 'id-2' },
    ]);
    await transport.close();
    const headers = { 'tallystick-producer-id': producerId, 'tallystick-service': 'checkout' };
    const stored = await readTopic(bootstrap, topic);
    expect(stored).toHaveLength(2);
    expect(stored.find(({ key }) => key === 'acme')).toMatchObject({
      value: texts[0],
      headers: { ...headers, 'tallystick-producer-seq': '7' },
    });
    expect(stored.find(({ key }) => key === 'globex')).toMatchObject({
      value: texts[1],
      headers: { ...headers, 'tallystick-producer-seq': '8' },
    });
  });

  test('contains one statement for each tenant with a declaration, after its events', async () => {
    const topic = await newTopic(bootstrap, { partitions: 1 });
    const gap = (tenant_id: string, from: number) =>
      ({ tenant_id, from, to: from + 1, reason: 'buffer_full' }) as const;
    const gaps = [gap('acme', 2), gap('globex', 1), gap('acme', 5)];
    const final = [
      { tenant_id: 'acme', final_seq: 6 },
      { tenant_id: 'initech', final_seq: 0 },
    ];
    await send({ topic }, batch([event('acme', 1)], { gaps }), batch([], { final }));
    const [first, ...statements] = await readTopic(bootstrap, topic);
    expect(first?.headers['tallystick-kind']).toBeUndefined();
    expect(statements.map(({ headers }) => headers)).toEqual(
      Array(4).fill({ 'tallystick-kind': 'statement' }),
    );
    const said = { producer_id: producerId, service: 'checkout' };
    expect(statements.map(({ key, value }) => [key, JSON.parse(value)])).toEqual([
      ['acme', { delivery: { ...said, gaps: [gaps[0], gaps[2]], final: [] } }],
      ['globex', { delivery: { ...said, gaps: [gaps[1]], final: [] } }],
      ['acme', { delivery: { ...said, gaps: [], final: [final[0]] } }],
      ['initech', { delivery: { ...said, gaps: [], final: [final[1]] } }],
    ]);
  });

  test('can be read with every kind of compression', async () => {
    const topic = await newTopic(bootstrap, { partitions: 1 });
    const kinds = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
    const text = event('acme', 1, 'the same words over and over, '.repeat(2_000));
    for (const compression of kinds) await send({ topic, compression }, batch([text, text]));
    const stored = await readTopic(bootstrap, topic);
    expect(stored.map(({ value }) => value)).toEqual(Array(kinds.length * 2).fill(text));
  });

  // The library's default partitioner agrees with Java's only if the number of partitions is a power of two.
  test('contains each event in the partition that the Java client would choose', async () => {
    const topic = await newTopic(bootstrap, { partitions: 5 });
    const tenants = Array.from({ length: 60 }, (_, n) => `tenant-${n}${'x'.repeat(n % 7)}`);
    await send({ topic }, batch(tenants.map((tenant, n) => event(tenant, n))));
    const stored = await readTopic(bootstrap, topic);
    const partitionOf = new Map(stored.map(({ key, partition }) => [key, partition]));
    expect(tenants.map((tenant) => partitionOf.get(tenant))).toEqual(await javaPartitions(tenants, 5));
  }, 60_000);
});

describe('sizes', () => {
  const filling = () => randomBytes(150_000).toString('base64');

  test('a batch that is too large for one request is sent in several requests, in order', async () => {
    const topic = await newTopic(bootstrap, { partitions: 1 });
    const texts = Array.from({ length: 20 }, (_, n) => event('acme', n, filling()));
    await send({ topic }, batch(texts));
    expect((await readTopic(bootstrap, topic)).map(({ value }) => value)).toEqual(texts);
  });

  test('if a topic accepts only smaller requests, the emitter sends smaller batches, and nothing is lost', async () => {
    const topic = await newTopic(bootstrap, { settings: { 'max.message.bytes': '60000' } });
    const transport = kafkaTransport({ brokers: bootstrap, topic });
    const emitter = createAuditEmitter({
      service: 'checkout',
      transport,
      redaction: false,
      flushOnExit: false,
    });
    for (let n = 0; n < 60; n++) {
      emitter.emit(someEvent({ context: { n, filling: randomBytes(5_000).toString('base64') } }));
    }
    expect(await emitter.close()).toMatchObject({ delivered: 60, rejected: 0, dropped: 0 });
    const events = chainable(await readTopic(bootstrap, topic)).get('acme')!;
    expect(events.map(({ context }) => context.n)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });

  test('an event that is too large for the topic is refused with an error that says so', async () => {
    const topic = await newTopic(bootstrap, { settings: { 'max.message.bytes': '60000' } });
    const failure = send({ topic }, batch([event('acme', 1, filling())]));
    await expect(failure).rejects.toMatchObject({
      tooLarge: true,
      message: `the topic ${topic} does not accept a request of this size (MESSAGE_TOO_LARGE)`,
    });
  });
});

describe('failures', () => {
  test('a missing topic is retryable', async () => {
    const failure = send({ topic: 'nobody-made-this' }, batch([event('acme', 1)]));
    await expect(failure).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('no topic nobody-made-this'),
    });
  });

  test('no broker listens: repeated tries leave no sockets or timers', async () => {
    const open = () => process.getActiveResourcesInfo().filter((kind) => /TCP|Timeout/.test(kind)).length;
    const before = open();
    const transport = kafkaTransport({ brokers: [`127.0.0.1:${await freePort()}`] });
    for (let tries = 0; tries < 50; tries++) {
      await expect(transport.send(batch([event('acme', 1)]), never)).rejects.toThrow('ECONNREFUSED');
    }
    await until(() => open() <= before);
  });

  test('the error names the cause', async () => {
    const brokers = [`127.0.0.1:${await freePort()}`];
    await expect(send({ brokers }, batch([event('acme', 1)]))).rejects.toMatchObject({
      retryable: true,
      unauthorized: false,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  describe('a broker that accepts connections and does not respond', () => {
    async function mute(timeoutMs: number, use: (transport: Transport) => Promise<void>): Promise<void> {
      const sockets = new Set<{ destroy(): void }>();
      const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
      const port = await new Promise<number>((resolve) => {
        server.once('listening', () => resolve((server.address() as { port: number }).port));
      });
      const transport = kafkaTransport({ brokers: [`127.0.0.1:${port}`], timeoutMs });
      await use(transport);
      await transport.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    }

    test('is abandoned after the timeout', () =>
      mute(300, async (transport) => {
        await expect(transport.send(batch([event('acme', 1)]), never)).rejects.toMatchObject({
          retryable: true,
          message: 'Kafka did not respond within 300 ms',
        });
      }));

    test('is abandoned immediately when the signal aborts or the transport is closed', () =>
      mute(600_000, async (transport) => {
        const abort = new AbortController();
        const sending = transport.send(batch([event('acme', 1)]), abort.signal);
        setImmediate(() => abort.abort());
        await expect(sending).rejects.toMatchObject({ retryable: true });
        const again = transport.send(batch([event('acme', 1)]), never);
        setImmediate(() => transport.close());
        await expect(again).rejects.toMatchObject({ retryable: true });
      }));
  });

  test('a closed transport sends nothing, and may be closed again', async () => {
    const transport = kafkaTransport({ brokers: bootstrap });
    await transport.close();
    await transport.close();
    await expect(transport.send(batch([event('acme', 1)]), never)).rejects.toThrow('the transport is closed');
  });

  test('an event without a tenant is refused, and the error does not quote it', async () => {
    for (const text of ['{"audit_id":"secret"}', '{"secret', '["secret"]', 'null']) {
      const failure = await send({}, batch([text])).catch((error) => error);
      expect(failure).toMatchObject({ retryable: false, message: 'an event of the batch has no tenant' });
      expect(failure.cause).toBeUndefined();
    }
  });

  test('invalid options are refused by name', () => {
    const options = (over: object) => () => kafkaTransport({ brokers: 'a:1', ...over });
    expect(options({ brokers: '' })).toThrow('brokers must be addresses such as kafka-1:9092');
    expect(options({ brokers: ['kafka'] })).toThrow('brokers must be');
    expect(options({ timeoutMs: 0 })).toThrow('timeoutMs must be an integer');
    expect(options({ clientId: 'a b' })).toThrow('clientId must');
    expect(options({ topic: 'audit/events' })).toThrow('topic must');
    expect(options({ compression: 'brotli' })).toThrow('compression must be one of none, gzip');
    expect(options({ sasl: { mechanism: 'GSSAPI' } })).toThrow('sasl.mechanism must be one of PLAIN');
  });
});

describe('a process that ends by itself', () => {
  const module = new URL('../../src/kafka.ts', import.meta.url).href;
  const script = `
    const { kafkaTransport } = await import(process.env.KAFKA_MODULE);
    const transport = kafkaTransport({ brokers: process.env.BROKERS, topic: process.env.TOPIC });
    const emitter = sdk.createAuditEmitter({ service: 's', transport });
    const event = { tenantId: 'acme', eventType: 'a.b', actorType: 'system', actorId: 's' };`;
  const run = (topic: string, rest: string) =>
    runChild(script + rest, { KAFKA_MODULE: module, BROKERS: bootstrap.join(), TOPIC: topic });

  test('is not kept alive by an idle connection', async () => {
    const topic = await newTopic(bootstrap);
    const child = run(topic, `await emitter.record(event); console.log('recorded');`);
    await child.said('recorded');
    // The broker keeps an idle connection for ten minutes: if it kept the process alive, this test would time out.
    expect(await child.ended).toMatchObject({ code: 0 });
  });

  test('delivers its events and declares its end, without close()', async () => {
    const topic = await newTopic(bootstrap);
    const child = run(topic, 'for (let i = 0; i < 3; i++) emitter.emit(event);');
    expect(await child.ended).toMatchObject({ code: 0, output: '' });
    const stored = await readTopic(bootstrap, topic);
    const events = stored.filter(({ headers }) => headers['tallystick-kind'] === undefined);
    expect(events.map(({ headers }) => headers['tallystick-producer-seq'])).toEqual(['1', '2', '3']);
    const statements = stored.filter(({ headers }) => headers['tallystick-kind'] === 'statement');
    expect(statements).toHaveLength(1);
  });
});
