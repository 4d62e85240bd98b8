import { uuidv7 } from '@tallystick/event';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from '../run-tally.ts';
import { openService, type Service } from './service.ts';

const dir = tempDir();
let service: Service;

const run = (...args: readonly string[]) =>
  tally(args, {
    cwd: dir.path,
    env: {
      XDG_CONFIG_HOME: dir.path,
      TALLYSTICK_URL: service.url,
      TALLYSTICK_API_KEY: service.key,
      TALLYSTICK_TENANT: 'acme',
      COLUMNS: '200',
    },
  });

const login = (actor: string, source_ip: string, status: string) => ({
  audit_id: uuidv7(),
  tenant_id: 'acme',
  timestamp: '2026-03-01T10:30:00.000Z',
  source_service: 'gate',
  event_type: status === 'success' ? 'auth.login' : 'auth.login.failed',
  actor_type: 'user',
  actor_id: actor,
  source_ip,
  outcome: { outcome_status: status },
});

beforeAll(async () => {
  service = await openService(dir.path);
  const events = [
    login('maria', '10.1.2.3', 'failure'),
    login('maria', '10.1.2.3', 'success'),
    login('maria', '192.168.0.1', 'failure'),
    login('olga', '10.1.2.3', 'failure'),
  ];
  const answer = await fetch(`${service.url}/v1/audit/events/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ events }),
  });
  expect(answer.status).toBeLessThan(300);
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
});

test('a text that is not a search is refused with the place of its fault', async () => {
  const { stdout, stderr, exitCode } = await run('search', 'maria colour:red');
  expect([stdout, exitCode]).not.toEqual(['', 0]);
  expect(stderr).toContain('q, at character 7: "colour" is not a field');
});
