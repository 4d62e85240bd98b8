import { createClient } from '@tallystick/client';
import { uuidv7 } from '@tallystick/event';
import { tempDir, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

const dir = tempDir();
let service: Service;

const run = (tenant: string, ...args: readonly string[]) =>
  tally(['missing', ...args], {
    cwd: dir.path,
    env: {
      XDG_CONFIG_HOME: dir.path,
      ...service.env,
      TALLYSTICK_TENANT: tenant,
      COLUMNS: '300',
    },
  });
const linesOf = (stdout: string) => stdout.split('\n').filter(Boolean);

const event = (fields: object = {}) => ({
  audit_id: uuidv7(),
  tenant_id: 'acme',
  timestamp: '2026-03-01T12:00:00.000Z',
  source_service: 'shop',
  event_type: 'content.publish',
  actor_type: 'user',
  actor_id: 'ann',
  ...fields,
});
const lostCause = uuidv7();
const refusedId = uuidv7();
const producer = uuidv7();
const loser = uuidv7();
/** A cause that is only found by its id: it is not among the newest records. */
const early = event();
const orphan = event({ parent_id: lostCause, investigation_id: 'inv-1' });
const ofRefused = event({ parent_id: refusedId, investigation_id: "inv'2" });
/** In a tenant without gaps: the end of an action may be among the events that a gap lacks. */
const action = (deadline: number) =>
  event({
    tenant_id: 'agents',
    // A deadline is compared with the time of the event.
    timestamp: new Date().toISOString(),
    event_category: 'agent',
    event_type: 'agent.action.intended',
    actor_type: 'agent',
    actor_id: 'refund-bot',
    target_type: 'order',
    target_id: 'o-1',
    context: { action: 'refund', deadline: new Date(deadline).toISOString() },
  });
const overdue = action(Date.now());
const running = action(Date.now() + 3_600_000);

beforeAll(async () => {
  service = await openService(`${dir.path}/store`, { openIntents: { graceMs: 0 } });
  const client = createClient({ url: service.url, apiKey: service.key });
  const events = [early, event({ parent_id: early.audit_id }), orphan, ofRefused, event()];
  await client.events.submit(events, {
    delivery: { producer_id: producer, service: 'shop', sequences: [1, 2, 3, 6, 7] },
  });
  await client.events.submit([event()], {
    delivery: {
      producer_id: loser,
      service: 'mail',
      sequences: [4],
      gaps: [{ tenant_id: 'acme', from: 1, to: 3, reason: 'buffer_full' }],
      final: [{ tenant_id: 'acme', final_seq: 4 }],
    },
  });
  const [refused] = await client.events.submit([event({ audit_id: refusedId, colour: 'red' })]);
  expect(refused).toMatchObject({ error: expect.anything() });
  await client.events.submit([event({ tenant_id: 'whole' }), overdue, running]);
  await until(async () => (await client.openIntents.list({ state: 'unresolved' })).open_intents.length > 0, {
    timeoutMs: 90_000,
    what: 'the follower of open intents',
  });
}, 240_000);
afterAll(async () => {
  await service.close();
  dir.remove();
});

test('a trail that lacks nothing ends with 0, and says what was looked for', async () => {
  const { stdout, exitCode } = await run('whole');
  expect(exitCode).toBe(0);
  expect(stdout).toContain(
    'None: gaps in the numbers of producers, producers without a last number, refused events',
  );
  expect(stdout).toContain('it looked at the causes of the newest 2 records');
  const { json } = await run('whole', '--json');
  expect(json()).toEqual([{ summary: { tenant_id: 'whole', missing: 0, pending: 0, records: 2, cut: [] } }]);
});

test('says of each kind what is missing, and which command goes on', async () => {
  const { stdout, exitCode } = await run('acme');
  expect(exitCode).toBe(7);
  const lines = linesOf(stdout);
  const after = (title: string) => lines.slice(lines.indexOf(title) + 1);
  expect(after('Gaps in the numbers of producers: 1').slice(0, 2)).toEqual([
    `  shop ${producer}: 2 of 7 numbers have no known outcome: 4–5`,
    '  → tally producers',
  ]);
  expect(after('Refused events: 1')[0]).toMatch(
    new RegExp(`^  FIELD_UNKNOWN: event ${refusedId}, dead letter \\S+$`),
  );
  expect(after('Declared losses: 1')[0]).toMatch(new RegExp(`^  #\\d+ delivery.gap of ${loser}, 3 events$`));
  expect(after('Causes that are not in the trail: 2').slice(0, 3)).toEqual([
    `  #4 names ${refusedId}`,
    `  #3 names ${lostCause}`,
    '  → tally show 4',
  ]);
  expect(stdout).toContain(
    'None: producers without a last number, actions of agents without an end or an intent, ',
  );
});

test('an action that may still end is shown, and is not missing', async () => {
  const { stdout, exitCode } = await run('agents');
  expect(exitCode).toBe(7);
  const lines = linesOf(stdout);
  const at = lines.indexOf('Actions of agents without an end or an intent: 1');
  expect(lines.slice(at, at + 6)).toEqual([
    'Actions of agents without an end or an intent: 1',
    `  refund-bot: refund o-1 is unresolved (${overdue.audit_id})`,
    '  → tally intents',
    'Actions of agents that are not over: 1, may still come',
    `  refund-bot: refund o-1 is open (${running.audit_id})`,
    '  → tally intents --state open',
  ]);
  const { json } = await run('agents', '--json');
  expect((json() as object[]).at(-1)).toMatchObject({ summary: { missing: 1, pending: 1 } });
});

test('JSON has a line for each thing, with the next command as it was asked', async () => {
  const { json, exitCode } = await run('whole', '--tenant', 'acme', '--json');
  expect(exitCode).toBe(7);
  const lines = json() as { kind?: string; next?: string; summary?: object }[];
  expect(lines.slice(0, -1).map(({ kind }) => kind)).toEqual([
    'gap',
    'refused',
    'declared',
    'cause',
    'cause',
  ]);
  expect(lines[0]!.next).toBe('tally producers --tenant acme');
  expect(lines.at(-1)).toMatchObject({ summary: { missing: 5, pending: 0, cut: [] } });
});

test('what was not read is said, and is no success', async () => {
  // The newest record of the tenant without problems names no cause, and the first is not read.
  const { stdout, exitCode } = await run('whole', '--records', '1');
  expect([exitCode, stdout]).toEqual([
    5,
    expect.stringContaining(
      'None found, but not everything was read: causes that are not in the trail. --limit and --records read more.',
    ),
  ]);
  const limited = await run('acme', '-n', '1', '--json');
  expect((limited.json() as { summary: { cut: string[] } }[]).at(-1)!.summary.cut).toEqual([]);
  expect((await run('acme', '--from', '0m', '--json')).json()).not.toContainEqual(
    expect.objectContaining({ kind: 'cause' }),
  );
});

test('of an investigation, only what concerns it', async () => {
  const { stdout, exitCode } = await run('acme', 'inv-1');
  expect(exitCode).toBe(7);
  const lines = linesOf(stdout);
  expect(lines).toContain(`  #3 names a cause that is not in the trail: ${lostCause}`);
  expect(lines).toContain('  → tally timeline inv-1');
  expect(lines).toContain(`  shop ${producer}: 2 of 7 numbers have no known outcome: 4–5`);
  expect(stdout).not.toContain('FIELD_UNKNOWN');
  const other = await run('acme', "inv'2");
  expect(other.stdout).toContain(`FIELD_UNKNOWN: event ${refusedId}`);
  expect(other.stdout).toContain(String.raw`→ tally timeline 'inv'\''2'`);
  const absent = await run('acme', 'inv-9');
  expect([absent.exitCode, absent.stderr]).toEqual([
    2,
    expect.stringContaining('no record of the investigation inv-9'),
  ]);
});

test.each([
  ['--limit', '0'],
  ['--limit', '1001'],
  ['--records', '10001'],
  ['--from', 'soon'],
])('%s %s is refused', async (option, value) => expect((await run('acme', option, value)).exitCode).toBe(3));
