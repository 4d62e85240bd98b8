import { randomUUID } from 'node:crypto';
import { Admin } from '@platformatic/kafka';
import { freePort, sharedKafka } from '@tallystick/testing';
import { beforeAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';

let kafka: string;
beforeAll(async () => {
  kafka = (await sharedKafka()).bootstrap.join(',');
}, 120_000);

/** Topics of this test alone, on a broker that other tests use too. */
function topicsOfItsOwn() {
  const run = randomUUID().slice(0, 8);
  const env = {
    TALLYSTICK_KAFKA: kafka,
    TALLYSTICK_KAFKA_TOPIC: `events-${run}`,
    TALLYSTICK_KAFKA_GATEWAY_TOPIC: `gateway-${run}`,
  };
  return {
    names: [`events-${run}`, `gateway-${run}`, `events-${run}.dlq`],
    topics: (...args: string[]) => tally(['topics', ...args], { env }),
  };
}

interface Report {
  readonly name: string;
  readonly state: string;
  readonly found: { partitions: number; replicas: number; settings: Record<string, string> };
  readonly differences: { setting: string; wanted: string; found: string; risk?: string }[];
}

const read = (ran: { json(): unknown[] }) => ran.json() as Report[];

test('creates missing topics once', async () => {
  const { names, topics } = topicsOfItsOwn();
  const missing = await topics('describe', '--check', '--json');
  expect([missing.exitCode, read(missing).map(({ state }) => state)]).toEqual([
    1,
    ['missing', 'missing', 'missing'],
  ]);
  const created = read(await topics('create', '--json'));
  expect(created.map(({ name, state }) => [name, state])).toEqual(names.map((name) => [name, 'created']));
  expect(created.flatMap(({ differences }) => differences)).toEqual([]);
  expect(created.map(({ found }) => [found.partitions, found.replicas])).toEqual([
    [4, 1],
    [4, 1],
    [1, 1],
  ]);
  expect(created[0]!.found.settings).toEqual({
    'cleanup.policy': 'delete',
    'retention.ms': String(90 * 24 * 3600 * 1000),
    'retention.bytes': '-1',
    'max.message.bytes': '1048588',
    'min.insync.replicas': '1',
    'unclean.leader.election.enable': 'false',
    'message.timestamp.type': 'LogAppendTime',
  });
  const again = await topics('create', '--check');
  expect([again.exitCode, again.stderr]).toEqual([0, '']);
  expect(again.stdout).toMatch(/events-\w+ +exists +4 +1 +90 days +in sync/);
}, 60_000);

test('two that make them at once both succeed, and each topic is made once', async () => {
  const { names, topics } = topicsOfItsOwn();
  const runs = await Promise.all([
    topics('create', '--json'),
    topics('create', '--json'),
    topics('create', '--json'),
  ]);
  expect(runs.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(runs.map(() => [0, '']));
  const made = runs.flatMap(read).filter(({ state }) => state === 'created');
  expect(made.map(({ name }) => name).sort()).toEqual([...names].sort());
}, 60_000);

test('of a topic that is there it says what differs and what that puts at risk, and changes nothing', async () => {
  const { names, topics } = topicsOfItsOwn();
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: kafka.split(',') });
  await admin.createTopics({
    topics: [names[0]!],
    partitions: 7,
    replicas: 1,
    configs: [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'retention.ms', value: '3600000' },
      { name: 'retention.bytes', value: '1000000' },
      { name: 'max.message.bytes', value: '100000' },
      { name: 'unclean.leader.election.enable', value: 'true' },
    ],
  });
  await admin.close();
  const created = await topics('create');
  expect(created.exitCode).toBe(0);
  expect(created.stderr).toMatch(/^events-\w+: partitions is 7, but should be 4$/m);
  expect(created.stderr).toMatch(
    /^warning: events-\w+: cleanup.policy is compact.*compaction deletes events/m,
  );
  expect(created.stderr).toMatch(
    /^warning: events-\w+: unclean.leader.election.enable is true.*without acknow/m,
  );
  expect(created.stderr).toMatch(/^warning: .*retention.ms is 3600000.*down for longer than that$/m);
  expect(created.stderr).toMatch(/^warning: .*message.timestamp.type is CreateTime.*producer's clock/m);
  const checked = await topics('describe', '--check', '--json');
  expect(checked.exitCode).toBe(1);
  expect(read(checked)[0]!.differences.map(({ setting }) => setting)).toEqual([
    'partitions',
    'cleanup.policy',
    'retention.ms',
    'retention.bytes',
    'max.message.bytes',
    'unclean.leader.election.enable',
    'message.timestamp.type',
  ]);
}, 60_000);

test('the options of the command line are used', async () => {
  const { topics } = topicsOfItsOwn();
  const wishes = ['--partitions', '2', '--retention-days', '7', '--replication', '1'];
  const [events, , dlq] = read(await topics('create', '--json', ...wishes));
  expect(events).toMatchObject({ found: { partitions: 2, settings: { 'retention.ms': '604800000' } } });
  expect(dlq!.found.partitions).toBe(1);
  expect((await topics('describe', '--check', ...wishes)).exitCode).toBe(0);
  expect((await topics('describe', '--check')).exitCode).toBe(1);
}, 60_000);

test('too many replicas, an unreachable cluster, and no cluster each have their own error', async () => {
  const { topics } = topicsOfItsOwn();
  const greedy = await topics('create', '--replication', '3');
  expect(greedy.stderr).toMatch(/can't have 3 replicas: the cluster has 1 broker \(BROKER_REFUSED\)/);
  expect(greedy.exitCode).toBe(4);
  const away = await tally(['topics', 'describe', '--kafka', `127.0.0.1:${await freePort()}`]);
  expect(away.stderr).toMatch(/BROKER_UNAVAILABLE/);
  expect(away.exitCode).toBe(4);
  const nothing = await tally(['topics', 'describe']);
  expect([nothing.exitCode, nothing.stderr]).toEqual([3, expect.stringContaining('TALLYSTICK_KAFKA')]);
}, 60_000);
