import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Producer } from '@platformatic/kafka';
import { createAuditEmitter } from '@tallystick/sdk';
import { httpTransport } from '@tallystick/sdk/http';
import { sharedKafka, tempDir, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';
import { type ServeProcess, startServe } from '../../serve-process.ts';

const dir = tempDir();
const run = randomUUID().slice(0, 8);
const env: Record<string, string> = {
  XDG_CONFIG_HOME: dir.path,
  TALLYSTICK_DATA: join(dir.path, 'data'),
  TALLYSTICK_LOG_NAME: 'audit.example.com',
  TALLYSTICK_KAFKA_TOPIC: `events-${run}`,
  TALLYSTICK_KAFKA_GATEWAY_TOPIC: `gateway-${run}`,
  TALLYSTICK_KAFKA_GROUP: `group-${run}`,
  TALLYSTICK_REDACTION: 'on',
};
let service: ServeProcess;
let url: string;
let key: string;
beforeAll(async () => {
  env.TALLYSTICK_KAFKA = (await sharedKafka()).bootstrap.join(',');
  expect((await tally(['topics', 'create'], { env })).exitCode).toBe(0);
  key = (await tally(['serve', '--create-admin-key'], { env })).stdout.trim();
  service = await startServe(env);
  url = service.url;
}, 300_000);
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  dir.remove();
});

const get = async (path: string) =>
  (await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } })).json() as Promise<{
    events: Record<string, unknown>[];
    dead_letters: Record<string, unknown>[];
  }>;
const eventsOf = async (tenant: string) =>
  (await get(`/v1/audit/events?tenant_id=${tenant}&order=asc&event_type=content.publish`)).events;

test("what the SDK sends over HTTP is accepted by the queue and chained under its key's name, once", async () => {
  const audit = createAuditEmitter({
    service: 'cms',
    transport: httpTransport({ url, apiKey: key }),
    tenantId: 'acme',
  });
  const sent = { eventType: 'content.publish', actorType: 'user', actorId: 'jane' } as const;
  const results = await Promise.all([audit.record(sent), audit.record(sent)]);
  expect(results.map(({ state, receipt }) => [state, receipt])).toEqual([
    ['accepted', undefined],
    ['accepted', undefined],
  ]);
  await audit.close();
  await until(async () => (await eventsOf('acme')).length === 2, { timeoutMs: 30_000, what: 'the chain' });
  const [first] = await eventsOf('acme');
  expect(first!.ingest).toMatchObject({
    trust: 'api-key',
    principal: `key:${key.split('_')[1]}`,
    producer_seq: 1,
    source: expect.stringMatching(`^kafka:[^/]+/gateway-${run}/\\d/\\d+$`),
  });
}, 60_000);

test('the same request twice ends as one record, and what was refused as a dead letter with its reason', async () => {
  const event = {
    audit_id: randomUUID(),
    tenant_id: 'globex',
    timestamp: new Date().toISOString(),
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: 'jane',
    source_service: 'test',
  };
  const early = {
    ...event,
    audit_id: randomUUID(),
    timestamp: new Date(Date.now() + 2 * 3_600_000).toISOString(),
  };
  const post = () =>
    fetch(`${url}/v1/audit/events/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ events: [event, early] }),
    });
  for (const answer of [await post(), await post()]) {
    expect([answer.status, await answer.json()]).toMatchObject([
      207,
      { results: [{ status: 'accepted' }, { status: 'rejected', error: { code: 'TIMESTAMP_AHEAD' } }] },
    ]);
  }
  const deadLetters = async () => (await get(`/v1/dead-letters?topic=gateway-${run}`)).dead_letters;
  await until(async () => (await deadLetters()).length === 2, {
    timeoutMs: 30_000,
    what: 'the dead letters',
  });
  expect(await deadLetters()).toMatchObject(
    [1, 2].map(() => ({ tenant_id: 'globex', reason: 'TIMESTAMP_AHEAD', pointer: '/timestamp' })),
  );
  await until(async () => (await eventsOf('globex')).length > 0, { timeoutMs: 30_000, what: 'the chain' });
  expect((await eventsOf('globex')).map(({ audit_id }) => audit_id)).toEqual([event.audit_id]);
  const listed = await tally(['dlq', 'list', '--topic', `gateway-${run}`], {
    env: { XDG_CONFIG_HOME: dir.path, TALLYSTICK_URL: url, TALLYSTICK_API_KEY: key },
  });
  expect(listed.stdout).toMatch(new RegExp(`globex +gateway-${run}/\\d/\\d+ +TIMESTAMP_AHEAD`));
}, 60_000);

test('secrets are removed from what comes through either topic', async () => {
  const withSecret = (secret: string) => ({
    audit_id: randomUUID(),
    tenant_id: 'umbrella',
    timestamp: new Date().toISOString(),
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: 'jane',
    source_service: 'test',
    context: { command: `mysql -u root -p${secret} shop` },
  });
  const overHttp = withSecret('hunter2http');
  const emitted = await tally(['emit', '--tenant', 'umbrella'], {
    env: { XDG_CONFIG_HOME: dir.path, TALLYSTICK_URL: url, TALLYSTICK_API_KEY: key },
    stdin: JSON.stringify(overHttp),
  });
  expect(emitted.stdout).toMatch(/^accepted /);

  const producer = new Producer<string, string>({
    clientId: 'test',
    bootstrapBrokers: (await sharedKafka()).bootstrap,
    serializers: { key: (text) => Buffer.from(text!), value: (text) => Buffer.from(text!) },
  });
  const direct = withSecret('hunter2direct');
  const other = { ...direct, context: { command: 'mysql -u root -phunter2other shop' } };
  const values = [
    direct,
    direct,
    other,
    { ...withSecret('hunter2field'), invented: 'password=hunter2field' },
  ];
  await producer.send({
    messages: values.map((value) => ({
      topic: `events-${run}`,
      key: 'umbrella',
      value: JSON.stringify(value),
    })),
    acks: -1,
  });
  await producer.close();

  const letters = async () => (await get(`/v1/dead-letters?topic=events-${run}`)).dead_letters;
  await until(async () => (await letters()).length === 2 && (await eventsOf('umbrella')).length === 2, {
    timeoutMs: 60_000,
    what: 'two records and two dead letters',
  });
  // The same message again is a duplicate. The one that differs only in its secret is a conflict.
  const events = await eventsOf('umbrella');
  expect(events.map(({ audit_id }) => audit_id).sort()).toEqual([overHttp.audit_id, direct.audit_id].sort());
  expect((await letters()).map(({ reason }) => reason).sort()).toEqual([
    'AUDIT_ID_CONFLICT',
    'FIELD_UNKNOWN',
  ]);
  const raw = await Promise.all(
    (await letters()).map(async ({ id }) => {
      const { raw_base64 } = (await get(`/v1/dead-letters/${id}`)) as unknown as { raw_base64: string };
      return Buffer.from(raw_base64, 'base64').toString();
    }),
  );
  expect(raw.every((text) => text.includes('umbrella'))).toBe(true);
  expect(JSON.stringify(events) + raw.join()).not.toContain('hunter2');
}, 120_000);

test('SIGTERM drains it, and what was accepted just before is in the chain', async () => {
  const events = Array.from({ length: 200 }, () => ({
    audit_id: randomUUID(),
    tenant_id: 'initech',
    timestamp: new Date().toISOString(),
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: 'jane',
    source_service: 'test',
  }));
  const emitted = await tally(['emit', '--tenant', 'initech'], {
    env: { XDG_CONFIG_HOME: dir.path, TALLYSTICK_URL: url, TALLYSTICK_API_KEY: key },
    stdin: events.map((event) => JSON.stringify(event)).join('\n'),
  });
  expect(emitted.stdout.match(/^accepted /gm)).toHaveLength(200);
  const { code, stderr } = await service.stop();
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('error:')]);
  // Another start reads on where it ended.
  service = await startServe(env);
  url = service.url;
  const chained = async () =>
    (await get('/v1/audit/events?tenant_id=initech&limit=500&event_type=content.publish')).events;
  await until(async () => (await chained()).length === 200, { timeoutMs: 60_000, what: 'the chain' });
  expect(new Set((await chained()).map(({ audit_id }) => audit_id))).toEqual(
    new Set(events.map(({ audit_id }) => audit_id)),
  );
}, 300_000);
