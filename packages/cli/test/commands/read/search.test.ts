import { uuidv7 } from '@tallystick/event';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

const dir = tempDir();
let service: Service;

const run = (...args: readonly string[]) =>
  tally(args, {
    cwd: dir.path,
    env: {
      XDG_CONFIG_HOME: dir.path,
      ...service.env,
      TALLYSTICK_TENANT: 'acme',
      COLUMNS: '200',
    },
  });

const login = (actor: string, source_ip: string, status: string, risk: number) => ({
  audit_id: uuidv7(),
  tenant_id: 'acme',
  timestamp: '2026-03-01T10:30:00.000Z',
  source_service: 'gate',
  event_type: status === 'success' ? 'auth.login' : 'auth.login.failed',
  actor_type: 'user',
  actor_id: actor,
  source_ip,
  metadata: { risk },
  outcome: { outcome_status: status },
});

beforeAll(async () => {
  service = await openService(dir.path);
  const events = [
    login('maria', '10.1.2.3', 'failure', 1),
    login('maria', '10.1.2.3', 'success', 9.5),
    login('maria', '192.168.0.1', 'failure', -4),
    login('olga', '10.1.2.3', 'failure', 3),
  ];
  await service.submit({ events });
}, 180_000);
afterAll(async () => {
  await service.close();
  dir.remove();
});

const sequences = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).sequence_number);

test('finds by an address range, a negation and a field', async () => {
  const { stdout, exitCode } = await run('search', '10.0.0.0/8 -success actor:maria');
  expect(exitCode).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain('auth.login.failed');
});

test('takes filters and lists as tally events does, which takes a search', async () => {
  const searched = await run('search', 'maria', '--outcome', 'failure', '--oldest', '--json');
  expect(sequences(searched.stdout)).toEqual([1, 3]);
  const listed = await run('events', '--q', 'login maria', '--limit', '1', '--json');
  expect(sequences(listed.stdout)).toEqual([3]);
  const negated = await run('search', '--json', '--', '-maria type:auth.*');
  expect(sequences(negated.stdout)).toEqual([4]);
  expect((await run('search', 'nowhere')).stderr).toContain('no events');
  const either = await run(
    'search',
    '10.1.2.3 (actor:olga OR success) OR actor:nobody',
    '--oldest',
    '--json',
  );
  expect(sequences(either.stdout)).toEqual([2, 4]);
});

test('a text that is not a search is refused with the place of its fault', async () => {
  const { stdout, stderr, exitCode } = await run('search', 'maria colour:red');
  expect([stdout, exitCode]).not.toEqual(['', 0]);
  expect(stderr).toContain('q, at character 7: "colour" is not a field');
  const open = await run('search', 'maria (login OR colour');
  expect(open.exitCode).toBe(3);
  expect(open.stderr).toContain('q, at character 7: this parenthesis is not closed');
});

test('tally export and tally tail take a search', async () => {
  const exported = await run('export', '--format', 'jsonl', '--q', 'nobody OR maria -success');
  expect(sequences(exported.stdout)).toEqual([1, 3]);
  expect((await run('export', '--q', 'maria')).stderr).toContain('a bundle can not be filtered');
  expect((await run('export', '--q', 'maria', '--resume', '-o', 'x')).exitCode).toBe(3);
  const followed = await run('tail', '--since', '1h', '--q', 'failure OR nobody', '--count', '3', '--json');
  expect(sequences(followed.stdout)).toEqual([1, 3, 4]);
});

test('--top lists by value, with the value in front', async () => {
  const { stdout, stderr, exitCode } = await run('events', '--top', 'metadata.risk', '-n', '2');
  expect(exitCode).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => line.trim().split(/ +/).slice(0, 2).join(' '))).toEqual([
    'RISK SEQ',
    '9.5 2',
    '3 4',
  ]);
  expect(stderr).toContain('the first 2 of 4 events that have metadata.risk');
  const json = await run('events', '--top', 'metadata.risk', '-n', '1', '--actor', 'olga', '--json');
  expect(json.json()).toMatchObject([{ value: 3, event: { actor_id: 'olga' } }]);
  expect((await run('events', '--top', 'metadata.nothing')).stderr).toContain(
    'no event has metadata.nothing',
  );
  for (const wrong of [['--all'], ['--oldest'], ['-n', '51']])
    expect((await run('events', '--top', 'timestamp', ...wrong)).exitCode).toBe(3);
  expect((await run('events', '--top', 'actor')).stderr).toContain('must be timestamp, or one of');
});
