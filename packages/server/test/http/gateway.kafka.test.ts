import { gzipSync } from 'node:zlib';
import { uuidv7 } from '@tallystick/event';
import { sharedKafka, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gatewayTopic, readTopic } from './gateway-topic.ts';
import { event, Harness } from './harness.ts';

const batch = '/v1/audit/events/batch';
const count = (messages: number) => (read: readonly unknown[]) => read.length === messages;
const principalOf = (key: string) => `key:${key.split('_')[1]}`;

let bootstrap: string[];
let topic: string;
let harness: Harness;
beforeAll(async () => {
  ({ bootstrap } = await sharedKafka());
  topic = await gatewayTopic(bootstrap);
  harness = await Harness.open({ gateway: { connection: { bootstrapBrokers: bootstrap }, topic } });
  await until(async () => (await harness.get('/ready')).status === 200, { what: 'readiness' });
}, 240_000);
afterAll(() => harness?.[Symbol.asyncDispose]());

test('an accepted event is in the topic with the bytes that were sent, and with its submitter', async () => {
  const sent = event();
  const text = `{ "audit_id": ${JSON.stringify(sent.audit_id)},\n ${JSON.stringify(sent)
    .slice(1)
    .replace(/"audit_id":"[^"]*",/, '')}`;
  const key = await harness.key(['acme', 'other'], 'events:write');
  const single = await harness.call('POST', '/v1/audit/events', { key, body: text });
  expect([single.status, single.json]).toEqual([202, { status: 'accepted', audit_id: sent.audit_id }]);

  const producer_id = uuidv7();
  const events = [event({ tenant_id: 'acme' }), event({ tenant_id: 'other' }), event({ tenant_id: 'acme' })];
  const delivery = {
    producer_id,
    service: 'cms',
    sequences: [4, 1, 5],
    gaps: [{ tenant_id: 'acme', from: 1, to: 3, reason: 'buffer_full' }],
    final: [
      { tenant_id: 'acme', final_seq: 5 },
      { tenant_id: 'other', final_seq: 1 },
      { tenant_id: 'theirs', final_seq: 1 },
    ],
  };
  const many = await harness.call('POST', batch, { key, body: { delivery, events } });
  expect([many.status, many.json]).toEqual([
    202,
    { results: events.map(({ audit_id }, index) => ({ index, status: 'accepted', audit_id })) },
  ]);

  const principal = principalOf(key);
  const messages = await readTopic(bootstrap, topic, principal, count(6));
  const of = (tenant: string) => messages.filter((message) => message.key === tenant);
  const submitter = (tenant: string) => ({
    'tallystick-principal': principal,
    'tallystick-tenants': JSON.stringify([tenant]),
  });
  const numbered = (sequence: number) => ({
    'tallystick-producer-id': producer_id,
    'tallystick-producer-seq': String(sequence),
    'tallystick-service': 'cms',
  });
  expect(of('acme').map(({ value }) => value)).toEqual([
    text,
    JSON.stringify(events[0]),
    JSON.stringify(events[2]),
    JSON.stringify({
      delivery: {
        producer_id,
        service: 'cms',
        gaps: delivery.gaps,
        final: [{ tenant_id: 'acme', final_seq: 5 }],
      },
    }),
  ]);
  expect(of('acme').map(({ headers }) => headers)).toEqual([
    submitter('acme'),
    { ...submitter('acme'), ...numbered(4) },
    { ...submitter('acme'), ...numbered(5) },
    { ...submitter('acme'), 'tallystick-kind': 'statement' },
  ]);
  expect(of('other').map(({ headers }) => headers)).toEqual([
    { ...submitter('other'), ...numbered(1) },
    { ...submitter('other'), 'tallystick-kind': 'statement' },
  ]);
});

test('a refused event is written with the reason; an event of a forbidden tenant is not written', async () => {
  const key = await harness.key(['acme', 'other'], 'events:write');
  const good = event();
  const late = event({ timestamp: new Date(Date.now() + 2 * 3_600_000).toISOString() });
  const lines = [
    JSON.stringify(good),
    JSON.stringify(event({ tenant_id: 'theirs' })),
    JSON.stringify(late),
    '{"tenant_id":"theirs"}',
    '\uFFFDnot JSON',
    JSON.stringify(event({ metadata: { text: 'x'.repeat(1_100_000) } })),
  ];
  const headers = { 'content-type': 'application/x-ndjson' };
  const answer = await harness.call('POST', batch, { key, body: lines.join('\n'), headers });
  expect(answer.status).toBe(207);
  const results = answer.json.results as {
    status: string;
    error?: { code: string; dead_letter_id?: string };
  }[];
  expect(results.map(({ status, error }) => error?.code ?? status)).toEqual([
    'accepted',
    'TENANT_FORBIDDEN',
    'TIMESTAMP_AHEAD',
    'FIELD_REQUIRED',
    'JSON_INVALID',
    'EVENT_TOO_LARGE',
  ]);
  const messages = await readTopic(bootstrap, topic, principalOf(key), count(4));
  const found = new Map(messages.map((message) => [message.value, message]));
  expect(lines.map((line) => found.has(line))).toEqual([true, false, true, true, true, false]);
  expect(JSON.parse(found.get(lines[2]!)!.headers['tallystick-refusal']!)).toEqual([
    expect.objectContaining({ code: 'TIMESTAMP_AHEAD', pointer: '/timestamp' }),
  ]);
  const tenants = (line: number) => found.get(lines[line]!)!.headers['tallystick-tenants'];
  expect([tenants(0), tenants(2), tenants(3), tenants(4)]).toEqual(['["acme"]', '["acme"]', '[]', '[]']);
  // The last event is too large for a message, so it is stored at once.
  const id = results[5]!.error!.dead_letter_id!;
  expect((await harness.get(`/v1/dead-letters/${id}`)).json).toMatchObject({
    reason: 'EVENT_TOO_LARGE',
    tenant_id: 'acme',
    bytes: lines[5]!.length,
  });

  const single = await harness.call('POST', '/v1/audit/events', { key, body: late });
  expect([single.status, single.json.code]).toEqual([422, 'TIMESTAMP_AHEAD']);
});

test('all events of a large gzipped batch arrive, in the order of their tenant', async () => {
  const key = await harness.key(undefined, 'events:write');
  const events = Array.from({ length: 30 }, (_, at) =>
    event({ metadata: { at, text: 'x'.repeat(200_000) } }),
  );
  const answer = await harness.call('POST', batch, {
    key,
    body: gzipSync(JSON.stringify({ events })),
    headers: { 'content-encoding': 'gzip' },
  });
  expect(answer.status).toBe(202);
  const messages = await readTopic(bootstrap, topic, principalOf(key), count(30));
  expect(messages.map(({ value }) => JSON.parse(value).metadata.at)).toEqual(events.map((_, at) => at));
  // A key for every tenant has no tenants header.
  expect(Object.keys(messages[0]!.headers)).toEqual(['tallystick-principal']);
});

test('with an Idempotency-Key the topic gets the same event for a request and its retry', async () => {
  const key = await harness.key(['acme'], 'events:write');
  const { audit_id: _, timestamp: __, ...five } = event();
  const headers = { 'idempotency-key': 'gateway-1' };
  const send = async (body: object) => await harness.call('POST', '/v1/audit/events', { key, body, headers });
  const [first, again] = [await send(five), await send(five)];
  expect([first.status, again.status, again.json]).toEqual([202, 202, first.json]);
  expect((await send({ ...five, actor_id: 'other' })).json.code).toBe('IDEMPOTENCY_KEY_REUSED');
  const [one, two] = await readTopic(bootstrap, topic, principalOf(key), count(2));
  expect(JSON.parse(one!.value)).toMatchObject({ ...five, audit_id: first.json.audit_id });
  expect(two!.value).toBe(one!.value);
});
