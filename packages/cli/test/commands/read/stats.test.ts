import { uuidv7 } from '@tallystick/event';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

const dir = tempDir();
let service: Service;

const run = (args: readonly string[], columns = 80) =>
  tally(['stats', ...args], {
    cwd: dir.path,
    env: {
      XDG_CONFIG_HOME: dir.path,
      ...service.env,
      TALLYSTICK_TENANT: 'acme',
      COLUMNS: String(columns),
    },
  });

const login = (day: number, actor: string, status: string) => ({
  audit_id: uuidv7(),
  tenant_id: 'acme',
  timestamp: `2026-03-0${day}T10:30:00.000Z`,
  source_service: 'gate',
  event_type: status === 'success' ? 'auth.login' : 'auth.login.failed',
  actor_type: 'user',
  actor_id: actor,
  outcome: { outcome_status: status },
});

beforeAll(async () => {
  service = await openService(dir.path);
  const events = [
    login(1, 'maria', 'failure'),
    login(1, 'maria', 'failure'),
    login(4, 'maria', 'failure'),
    login(1, 'a-name-that-is-so-long-that-it-does-not-fit-into-a-line-of-the-terminal-at-all', 'failure'),
    login(1, 'maria', 'success'),
  ];
  await service.submit({ events });
}, 60_000);
afterAll(async () => {
  await service.close();
  dir.remove();
});

test('failed logins by actor and day, with bars, in 80 columns', async () => {
  const { stdout, stderr, exitCode } = await run(['--type', 'auth.login.failed', '--by', 'actor,day']);
  expect(exitCode).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toBe('4 events of acme');
  expect(lines[2]).toMatch(/^ACTOR +DAY +EVENTS$/);
  expect(lines.slice(3, 5)).toEqual([
    expect.stringMatching(/^user:maria +2026-03-01 +2 {2}█{26}$/),
    expect.stringMatching(/^user:maria +2026-03-04 +1 {2}█{13}$/),
  ]);
  expect(lines[5]).toMatch(/^user:a-name.*… {2}2026-03-01 +1 {2}█{13}$/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(stderr).toBe('');
});

test('a histogram has the days without events', async () => {
  const { stdout } = await run(['--by', 'day', '--not', 'type=system.*']);
  const rows = stdout.split('\n').slice(3, -1);
  expect(rows.map((row) => row.split(/ {2,}/).slice(0, 2).join(' '))).toEqual([
    '2026-03-01 4',
    '2026-03-02 0',
    '2026-03-03 0',
    '2026-03-04 1',
  ]);
});

test('several groupings, and what was left out', async () => {
  const { stdout, stderr } = await run([
    '--by',
    'outcome',
    '--by',
    'actor',
    '--limit',
    '1',
    '--source',
    'gate',
  ]);
  expect(stdout).toMatch(/OUTCOME STATUS +EVENTS\nfailure +4/);
  expect(stdout).toMatch(/ACTOR +EVENTS\nuser:maria +4/);
  expect(stderr).toContain('1 group with 1 event not shown');
  expect(stderr).toContain('audit.read');
});

test('as JSON, the answer of the service', async () => {
  const { json } = await run(['--type', 'auth.*', '--json']);
  expect(json()).toMatchObject([
    {
      records: 5,
      complete: true,
      groupings: [
        {
          by: ['event_type'],
          groups: [
            { values: { event_type: 'auth.login.failed' }, records: 4 },
            { values: { event_type: 'auth.login' }, records: 1 },
          ],
        },
      ],
    },
  ]);
});

test.each([[['--by', 'target']], [['--by', 'actor,type,day']], [['--limit', '1001']]])(
  'refuses %j',
  async (args) => {
    expect((await run(args)).exitCode).toBe(3);
  },
);

test('CSV of one grouping, with the days without events, safe for spreadsheets', async () => {
  const { stdout, exitCode } = await run(['--by', 'day', '--type', 'auth.*', '--csv']);
  expect([exitCode, stdout]).toEqual([
    0,
    'day,events\r\n2026-03-01,4\r\n2026-03-02,0\r\n2026-03-03,0\r\n2026-03-04,1\r\n',
  ]);
  const byActor = await run(['--by', 'actor', '--outcome', 'success', '--csv']);
  expect(byActor.stdout).toBe('actor,events\r\nuser:maria,1\r\n');
  expect((await run(['--by', 'actor', '--by', 'day', '--csv'])).exitCode).toBe(3);
  expect((await run(['--csv', '--json'])).exitCode).toBe(3);
});

test('counts what a search finds', async () => {
  const { json } = await run(['--q', 'maria (failure OR nobody)', '--by', 'day', '--json']);
  expect(json()).toMatchObject([{ records: 3 }]);
});
