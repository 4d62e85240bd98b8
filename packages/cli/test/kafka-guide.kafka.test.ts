import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AclOperations,
  AclPermissionTypes,
  Admin,
  Producer,
  ResourcePatternTypes,
  ResourceTypes,
} from '@platformatic/kafka';
import { uuidv7 } from '@tallystick/event';
import { type Kafka, startKafka, tempDir, until } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FollowedDocument } from './followed-document.ts';
import { tally } from './run-tally.ts';
import { type ServeProcess, startServe } from './serve-process.ts';

/** docs/kafka.md is carried out on a cluster that refuses what no access control list allows. The tests run in order. */
const text = readFileSync(join(import.meta.dirname, '../../../docs/kafka.md'), 'utf8');
const guide = new FollowedDocument('docs/kafka.md');
const [create, serve] = [guide.next('tally topics create'), guide.next('tally serve')];
const rules = guide.nextAll('kafka-acls.sh').map((words) => words.join(' '));
const dir = tempDir();
let kafka: Kafka;
let admin: Admin;
beforeAll(async () => {
  kafka = await startKafka({ security: { users: { 'audit-service': 'a', operator: 'o', checkout: 'c' } } });
  admin = new Admin({ clientId: 'test', bootstrapBrokers: kafka.bootstrap });
  writeFileSync(join(dir.path, 'ca.pem'), kafka.secured!.ca);
}, 240_000);
afterAll(async () => {
  await admin?.close();
  await kafka?.stop();
  dir.remove();
});

/** What a line of kafka-acls does. */
async function follow(line: string): Promise<void> {
  const [, principal] = /--allow-principal (\S+)/.exec(line)!;
  const [, operation] = /--operation (\S+)/.exec(line)!;
  const [, kind, resourceName] = /--(topic|group) (\S+)/.exec(line)!;
  const name = operation!.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
  await admin.createAcls({
    creations: [
      {
        resourceType: kind === 'topic' ? ResourceTypes.TOPIC : ResourceTypes.GROUP,
        resourceName: resourceName!,
        resourcePatternType: line.includes('--resource-pattern-type prefixed')
          ? ResourcePatternTypes.PREFIXED
          : ResourcePatternTypes.LITERAL,
        principal: principal!,
        host: '*',
        operation: AclOperations[name as keyof typeof AclOperations],
        permissionType: AclPermissionTypes.ALLOW,
      },
    ],
  });
}

const as = (user: string) => ({
  XDG_CONFIG_HOME: dir.path,
  TALLYSTICK_KAFKA: kafka.secured!.sasl.join(','),
  TALLYSTICK_KAFKA_CA: join(dir.path, 'ca.pem'),
  TALLYSTICK_KAFKA_SASL: 'SCRAM-SHA-512',
  TALLYSTICK_KAFKA_USER: user,
  TALLYSTICK_KAFKA_PASSWORD: user[0]!,
});

/** The guide's line, on the cluster of this test. */
const here = (line: readonly string[]) =>
  line.map((word) => word.replace('kafka-1:9092,kafka-2:9092', kafka.secured!.sasl.join(',')));

test('topics are made by whom the guide lets make them', async () => {
  const env = as('operator');
  const forbidden = await tally(here(create), { env });
  expect(forbidden.stderr).toMatch(
    /can't create the topic audit.events: (TOPIC|CLUSTER)_AUTHORIZATION_FAILED.*\(BROKER_REFUSED\)\nhint: .*docs\/kafka.md/,
  );
  expect(forbidden.exitCode).toBe(4);
  for (const rule of rules.filter((line) => line.includes('User:operator'))) await follow(rule);
  await until(async () => (await tally(here(create), { env })).exitCode === 0, {
    timeoutMs: 30_000,
    what: 'the right to make topics',
  });
  expect((await tally([...here(create), '--check'], { env })).exitCode).toBe(0);
  const wrong = await tally(['topics', 'describe'], { env: { ...env, TALLYSTICK_KAFKA_PASSWORD: 'wrong' } });
  expect([wrong.exitCode, wrong.stderr]).toEqual([
    4,
    expect.stringMatching(/AUTHENTICATION_FAILED.*\(BROKER_REFUSED\)/),
  ]);
}, 120_000);

const anEvent = (fields: { readonly [name: string]: unknown } = {}) => ({
  audit_id: uuidv7(),
  tenant_id: 'acme',
  timestamp: new Date().toISOString(),
  event_type: 'content.publish',
  actor_type: 'user',
  actor_id: 'jane',
  source_service: 'checkout',
  ...fields,
});

describe('a service with the rights of the guide', () => {
  let service: ServeProcess;
  let producer: Producer<string, string>;
  let client: { readonly [name: string]: string };
  const run = (args: readonly string[]) => tally(args, { env: client });
  const chained = async () =>
    (await run(['events', '--json', '--type', 'content.publish'])).json() as {
      ingest: { trust: string; source: string };
    }[];
  const send = (
    value: string,
    more: { readonly headers?: Record<string, string>; readonly partition?: number } = {},
  ) =>
    producer.send({
      messages: [
        {
          topic: 'audit.events',
          key: 'acme',
          value,
          ...more,
          headers: Object.fromEntries(
            Object.entries(more.headers ?? {}).map(([name, text]) => [name, Buffer.from(text)]),
          ),
        },
      ],
      acks: -1,
    });

  beforeAll(async () => {
    for (const rule of rules.filter((line) => !line.includes('User:operator'))) await follow(rule);
    const env = {
      ...as('audit-service'),
      TALLYSTICK_DATA: join(dir.path, 'data'),
      TALLYSTICK_LOG_NAME: 'audit.example.com',
    };
    const key = (await tally(['serve', '--create-admin-key'], { env })).stdout.trim();
    service = await startServe(env, here(serve));
    client = {
      XDG_CONFIG_HOME: dir.path,
      TALLYSTICK_URL: service.url,
      TALLYSTICK_API_KEY: key,
      TALLYSTICK_TENANT: 'acme',
    };
    producer = new Producer<string, string>({
      clientId: 'checkout',
      bootstrapBrokers: kafka.secured!.sasl,
      tls: { ca: kafka.secured!.ca },
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'checkout', password: 'c' },
      retries: false,
      serializers: {
        key: (text) => Buffer.from(text!),
        value: (text) => Buffer.from(text!),
        headerKey: (text) => Buffer.from(text!),
        headerValue: (text) => Buffer.from(text!),
      },
    });
  }, 240_000);
  afterAll(async () => {
    await producer?.close();
    await service?.[Symbol.asyncDispose]();
  });

  test('reads and writes the topics, and a producer can not forge a submitter', async () => {
    const emitted = await run(['emit', '--type', 'content.publish', '--actor', 'jane']);
    expect(emitted.stdout).toMatch(/^accepted /);
    const value = JSON.stringify(anEvent());
    await send(value);
    await expect(
      producer.send({ messages: [{ topic: 'audit.gateway', key: 'acme', value }], acks: -1 }),
    ).rejects.toThrow();
    await until(async () => (await chained()).length === 2, { timeoutMs: 60_000, what: 'both in the chain' });
    expect((await chained()).map(({ ingest }) => ingest.trust).sort()).toEqual(['api-key', 'topic-acl']);
  }, 120_000);

  test('finds partitions that are added', async () => {
    const alter = guide.next('kafka-topics.sh');
    const given = (option: string) => alter[alter.indexOf(option) + 1]!;
    const partitions = Number(given('--partitions'));
    await admin.createPartitions({
      topics: [{ name: given('--topic'), count: partitions, assignments: null }],
    });
    // A partition gets its leader a moment after it is made. Before that, its metadata are an error.
    const haveLeaders = async () => {
      const { topics } = await producer.metadata({ topics: ['audit.events'], forceUpdate: true });
      const found = topics.get('audit.events')?.partitions ?? [];
      return found.length === partitions && found.every(({ leader }) => leader >= 0);
    };
    await until(() => haveLeaders().catch(() => false), { timeoutMs: 60_000, what: 'the leaders' });
    // The leader knows that it leads a moment later. Until then it refuses messages.
    const event = JSON.stringify(anEvent());
    const isSent = () =>
      send(event, { partition: partitions - 1 }).then(
        () => true,
        () => false,
      );
    await until(isSent, { timeoutMs: 60_000, what: 'a message in the new partition' });
    await until(async () => (await chained()).length === 3, { timeoutMs: 90_000, what: 'the new partition' });
    expect((await chained()).map(({ ingest }) => ingest.source)).toContainEqual(
      expect.stringMatching(`/audit.events/${partitions - 1}/0$`),
    );
  }, 120_000);

  test('closes the account of an abandoned producer', async () => {
    const id = uuidv7();
    await send(JSON.stringify(anEvent()), {
      headers: {
        'tallystick-producer-id': id,
        'tallystick-producer-seq': '3',
        'tallystick-service': 'checkout',
      },
    });
    const line = guide.next('tally producers');
    await until(async () => (await run(line)).stdout.includes(id), {
      timeoutMs: 60_000,
      what: 'the account',
    });
    expect((await run(line)).stdout).toMatch(new RegExp(`checkout +${id} +open +\\S+ +1–2 `));
    const [count, close] = guide.nextAll('tally producers settle');
    // Its producer has been silent for seconds, and not for the days that the guide waits.
    expect((await run(count!)).stderr).toContain('0 accounts with 0 open numbers would be closed');
    const atOnce = (words: readonly string[]) => words.map((word) => word.replace('7d', '0m'));
    await until(async () => (await run(atOnce(count!))).stderr.includes('1 accounts with 2 open numbers'), {
      timeoutMs: 30_000,
      what: 'a second of silence',
    });
    expect((await run(atOnce(close!))).stderr).toContain('closed 1 accounts with 2 open numbers');
    const gaps = (await run(['events', '--json', '--type', 'delivery.gap'])).json();
    expect(gaps).toMatchObject([
      { metadata: { from: 1, to: 2, reason: close![close!.indexOf('--reason') + 1] } },
    ]);
  }, 120_000);

  test('lists, shows, retries and purges refused messages', async () => {
    await send('not JSON');
    await send(JSON.stringify(anEvent({ invented: 1 })));
    const list = guide.next('tally dlq list');
    await until(async () => (await run(list)).stdout.split('\n').length > 3, {
      timeoutMs: 60_000,
      what: 'both dead letters',
    });
    const letters = (await run([...list, '--json'])).json() as { id: string; reason: string }[];
    expect(letters.map(({ reason }) => reason).sort()).toEqual(['FIELD_UNKNOWN', 'JSON_INVALID']);
    const [dlq, show] = guide.next('tally dlq show');
    const shown = await run([dlq!, show!, letters.find(({ reason }) => reason === 'JSON_INVALID')!.id]);
    expect(shown.stdout).toContain('not JSON');
    // The service still does not know the field.
    const retried = await run(guide.next('tally dlq retry'));
    expect([retried.exitCode, retried.stderr]).toEqual([1, expect.stringContaining('refused again')]);
    const purge = guide.next('tally dlq purge');
    expect((await run(purge)).stderr).toContain('erased 0;');
    const purged = await run(purge.map((word) => word.replace('90d', '0m')));
    expect([purged.exitCode, purged.stdout]).toEqual([0, expect.stringContaining('JSON_INVALID')]);
    expect((await run(list)).stdout).not.toContain('JSON_INVALID');
  }, 120_000);

  test('and every command of the guide was carried out', () => {
    expect([guide.left, guide.reasons]).toEqual([[], []]);
  });
});

test('every file that the guide links to exists', () => {
  const links = [...text.matchAll(/\]\(([^)#]+)/g)].map((match) => match[1]!);
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) readFileSync(join(import.meta.dirname, '../../../docs', link));
});

const commands = [
  ...text.matchAll(/^tally (\w+ \w+)/gm),
  ...text.matchAll(/`tally (dlq \w+|topics \w+|serve|migrate)/g),
].map((match) => match[1]!);
test.each([...new Set(commands)])('tally %s is a command', async (words) => {
  const { exitCode, stdout } = await tally([...words.split(' '), '--help']);
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('Usage: tally')]);
});

test('the metrics that the guide names are exposed', async () => {
  const { GatewayMetrics, KafkaMetrics } = await import('@tallystick/server/kafka');
  const { ServiceMetrics } = await import('@tallystick/server/http');
  const metrics = new ServiceMetrics({ process: false });
  new GatewayMetrics(metrics);
  new KafkaMetrics(metrics);
  const exposed = await metrics.registry.metrics();
  const named = new Set(text.match(/tallystick_(?:kafka|gateway)_\w+/g));
  expect(named.size).toBeGreaterThan(7);
  expect([...named].filter((name) => !exposed.includes(`# TYPE ${name} `))).toEqual([]);
});
