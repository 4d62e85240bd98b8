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
import { type Kafka, startKafka, tempDir, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from './run-tally.ts';
import { startServe } from './serve-process.ts';

/** docs/kafka.md, "Access control lists": these rights are enough. */
const text = readFileSync(join(import.meta.dirname, '../../../docs/kafka.md'), 'utf8');
const rules = text.split('\n').filter((line) => line.startsWith('kafka-acls.sh '));
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

test('topics are made by whom the guide lets make them', async () => {
  const env = as('operator');
  const forbidden = await tally(['topics', 'create'], { env });
  expect(forbidden.stderr).toMatch(
    /can't create the topic audit.events: (TOPIC|CLUSTER)_AUTHORIZATION_FAILED.*\(BROKER_REFUSED\)\nhint: .*docs\/kafka.md/,
  );
  expect(forbidden.exitCode).toBe(4);
  for (const rule of rules.filter((line) => line.includes('User:operator'))) await follow(rule);
  await until(async () => (await tally(['topics', 'create', '--check'], { env })).exitCode === 0, {
    timeoutMs: 30_000,
    what: 'the right to make topics',
  });
  const wrong = await tally(['topics', 'describe'], { env: { ...env, TALLYSTICK_KAFKA_PASSWORD: 'wrong' } });
  expect([wrong.exitCode, wrong.stderr]).toEqual([
    4,
    expect.stringMatching(/AUTHENTICATION_FAILED.*\(BROKER_REFUSED\)/),
  ]);
}, 120_000);

test('the service reads and writes with what the guide gives it, and a producer can not forge a submitter', async () => {
  for (const rule of rules.filter((line) => !line.includes('User:operator'))) await follow(rule);
  const env = {
    ...as('audit-service'),
    TALLYSTICK_DATA: join(dir.path, 'data'),
    TALLYSTICK_LOG_NAME: 'audit.example.com',
  };
  const key = (await tally(['serve', '--create-admin-key'], { env })).stdout.trim();
  await using service = await startServe(env);
  const client = {
    XDG_CONFIG_HOME: dir.path,
    TALLYSTICK_URL: service.url,
    TALLYSTICK_API_KEY: key,
    TALLYSTICK_TENANT: 'acme',
  };
  const emitted = await tally(['emit', '--type', 'content.publish', '--actor', 'jane'], { env: client });
  expect(emitted.stdout).toMatch(/^accepted /);

  const secured = {
    clientId: 'checkout',
    bootstrapBrokers: kafka.secured!.sasl,
    tls: { ca: kafka.secured!.ca },
    sasl: { mechanism: 'SCRAM-SHA-512' as const, username: 'checkout', password: 'c' },
    retries: false,
  };
  const producer = new Producer<string, string>({
    ...secured,
    serializers: { key: (text) => Buffer.from(text!), value: (text) => Buffer.from(text!) },
  });
  const event = { ...JSON.parse(emittedEvent), audit_id: '7c0f6a52-6f2e-4a39-9f0e-3c1d2b4a5968' };
  const message = { key: 'acme', value: JSON.stringify(event) };
  await producer.send({ messages: [{ topic: 'audit.events', ...message }], acks: -1 });
  await expect(
    producer.send({ messages: [{ topic: 'audit.gateway', ...message }], acks: -1 }),
  ).rejects.toThrow();
  await producer.close();

  const chained = async () =>
    (await tally(['events', '--json', '--type', 'content.publish'], { env: client })).json() as {
      ingest: { trust: string };
    }[];
  await until(async () => (await chained()).length === 2, { timeoutMs: 60_000, what: 'both in the chain' });
  expect((await chained()).map(({ ingest }) => ingest.trust).sort()).toEqual(['api-key', 'topic-acl']);
}, 300_000);

const emittedEvent = JSON.stringify({
  tenant_id: 'acme',
  timestamp: new Date().toISOString(),
  event_type: 'content.publish',
  actor_type: 'user',
  actor_id: 'jane',
  source_service: 'checkout',
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
