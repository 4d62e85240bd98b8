import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { uuidv7 } from '@tallystick/event';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

/** Lists whose evidence the command judges: of an honest service, and of one that lies on the way to the reader. */

const dir = tempDir();
let service: Service;
/** A service that answers as the real one does, after {@link lie} has changed the answer. */
let liar: { readonly url: string; close(): void };
// biome-ignore lint/suspicious/noExplicitAny: the body of any answer
let lie: (path: string, body: any) => unknown;
let runs = 0;
let config = '';

const run = (...args: readonly string[]) => runAt(service.url, ...args);
const runAt = (url: string, ...args: readonly string[]) =>
  tally(args, {
    cwd: dir.path,
    env: {
      XDG_CONFIG_HOME: config,
      TALLYSTICK_URL: url,
      TALLYSTICK_API_KEY: service.key,
      TALLYSTICK_TENANT: 'acme',
      COLUMNS: '200',
    },
  });

async function emit(...actors: readonly string[]): Promise<void> {
  const events = actors.map((actor) => ({
    audit_id: uuidv7(),
    tenant_id: 'acme',
    timestamp: '2026-03-01T10:30:00.000Z',
    source_service: 'gate',
    event_type: 'auth.login',
    actor_type: 'user',
    actor_id: actor,
    source_ip: '10.1.2.3',
  }));
  await service.submit({ events });
}

beforeAll(async () => {
  service = await openService(dir.path);
  const server = createServer(async (request, response) => {
    const { authorization = '' } = request.headers;
    const answer = await fetch(`${service.url}${request.url}`, { headers: { authorization } });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type')! });
    response.end(isJson ? JSON.stringify(lie(request.url!, JSON.parse(text))) : text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  liar = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
  await emit(...Array.from({ length: 250 }, (_, at) => (at % 10 === 0 ? 'maria' : 'olga')));
}, 180_000);
afterAll(async () => {
  liar.close();
  await service.close();
  dir.remove();
});
beforeEach(() => {
  config = join(dir.path, `config-${runs++}`);
  lie = (_, body) => body;
});

test('without any checkpoint nothing is verified, and the next step is named', async () => {
  const { stdout, stderr, exitCode } = await run('events', '--verify');
  expect([stdout, exitCode]).toEqual(['', 2]);
  expect(stderr).toContain('no checkpoint yet');
  expect(stderr).toContain('tally checkpoint --tenant acme');
});

test('a list is verified over all pages, and says what it does not show', async () => {
  await run('checkpoint');
  const { stdout, exitCode } = await run('events', '--actor', 'maria', '--verify');
  expect(exitCode).toBe(5);
  expect(stdout.trimEnd().split('\n').slice(-3)).toEqual([
    '◐ A SELECTION of a trail, verified  acme  25 of 25 records are in the tree of 251',
    '  omissions not covered: events that match may have been left out',
    expect.stringMatching(/^ {2}key first-use: tally\.local\/acme\/1\+/),
  ]);
  await emit('maria', 'maria');
  const all = await run('events', '--all', '--verify', '--json');
  const lines = all.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(254);
  expect(lines.at(-1)).toEqual({
    verification: expect.objectContaining({
      verdict: 'verified_selection',
      records: 253,
      verified: 251,
      newer_than_checkpoint: 2,
      omissions: 'not covered',
      trust: { source: 'pinned', keys: [expect.stringContaining('tally.local/acme/1+')] },
      findings: [],
    }),
  });
  const newest = await run('events', '--limit', '2', '--verify');
  expect([newest.exitCode, newest.stdout]).toEqual([2, expect.stringContaining('NOTHING_COVERED')]);
  const searched = await run('search', 'nobody OR maria 10.0.0.0/8', '--limit', '5', '--verify');
  expect(searched.exitCode).toBe(5);
  expect(searched.stdout).toContain('3 of 5 records are in the tree of 251');
  expect(searched.stdout).toContain('  2 newer than the checkpoint: not covered yet, so not verified');
  expect((await run('events', '--actor', 'nobody', '--verify')).exitCode).toBe(2);
});

test.each([
  ["--type 'auth.*'", ['--type', 'auth.*']],
  ['--severity info', ['--severity', 'info']],
  ['a negation', ['--not', 'outcome=success', '--not', 'actor=user:olga']],
  ['a span of time', ['--from', '2026-03-01T00:00:00Z', '--to', '2026-03-01T10:30:00.001Z']],
  ['addresses and two actors', ['--source-ip', '10.0.0.0/8', '--actor', 'user:maria', '--actor', 'olga']],
  ['parts and a service', ['--actor-type', 'user', '--source', 'gate']],
])('what the service finds by %s is what the records say', async (_, filters) => {
  const { exitCode, stdout } = await run('events', ...filters, '--oldest', '--limit', '5', '--verify');
  expect([exitCode, stdout]).toEqual([5, expect.stringContaining('5 of 5 records')]);
});

// biome-ignore lint/suspicious/noExplicitAny: a page of the API
const lies: readonly [name: string, change: (page: any) => unknown, code: string][] = [
  [
    'a changed field',
    (page) => ({ ...page, events: page.events.with(3, { ...page.events[3], actor_id: 'mallory' }) }),
    'LIST_MISMATCH',
  ],
  [
    'a changed record',
    (page) => {
      const { record, ...event } = page.events[3];
      const changed = { ...event, actor_id: 'mallory', record: record.replace('"maria"', '"mallory"') };
      return { ...page, events: page.events.with(3, changed) };
    },
    'RECORD_HASH_MISMATCH',
  ],
  [
    'an event that does not match',
    (page) => ({ ...page, events: [...page.events, other], evidence: otherEvidence }),
    'LIST_MISMATCH',
  ],
  [
    'another proof',
    (page) => ({ ...page, evidence: { ...page.evidence, hashes: page.evidence.hashes.slice(1) } }),
    'CHECKPOINT_ROOT_MISMATCH',
  ],
];
let other: unknown;
let otherEvidence: unknown;

test.each(lies)('broken: %s', async (name, change, code) => {
  if (name.includes('not match')) {
    const fetched = await fetch(
      `${service.url}/v1/audit/events?tenant_id=acme&actor_id=maria&actor_id=olga&limit=50&verify=true`,
      {
        headers: { authorization: `Bearer ${service.key}` },
      },
    );
    const page = (await fetched.json()) as { events: { actor_id: string }[]; evidence: unknown };
    const kept = page.events.filter(({ actor_id }) => actor_id === 'olga');
    lie = (path, body) =>
      path.startsWith('/v1/audit/events?') ? { ...body, events: page.events, evidence: page.evidence } : body;
    expect(kept.length).toBeGreaterThan(0);
  } else lie = (path, body) => (path.startsWith('/v1/audit/events?') ? change(body) : body);
  const { stdout, exitCode } = await runAt(liar.url, 'events', '--actor', 'maria', '--verify');
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining(code)]);
});

test('a service that shows an older checkpoint than it showed before is broken', async () => {
  let old: unknown;
  lie = (path, body) => {
    if (path.startsWith('/v1/audit/events?')) old ??= body;
    return body;
  };
  expect(
    (await runAt(liar.url, 'events', '--actor', 'maria', '--limit', '5', '--oldest', '--verify')).exitCode,
  ).toBe(5);
  expect((await run('verify')).exitCode).toBe(0);
  lie = (path, body) => (path.startsWith('/v1/audit/events?') ? old : body);
  const { stdout, exitCode } = await runAt(
    liar.url,
    'events',
    '--actor',
    'maria',
    '--limit',
    '5',
    '--oldest',
    '--verify',
  );
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining('HEAD_MISMATCH')]);
});

test('evidence of another trail, a broken one, or none is never a good answer', async () => {
  const answers: readonly [(evidence: Record<string, unknown>) => unknown, exitCode: number][] = [
    [(evidence) => ({ ...evidence, origin: 'tally.local/globex/1' }), 1],
    [(evidence) => ({ ...evidence, checkpoint: 'x' }), 1],
    [(evidence) => ({ ...evidence, keys: ['x'] }), 1],
    [() => undefined, 2],
  ];
  for (const [change, expected] of answers) {
    lie = (path, body) =>
      path.startsWith('/v1/audit/events?') ? { ...body, evidence: change(body.evidence) } : body;
    const { exitCode, stderr } = await runAt(liar.url, 'events', '--verify');
    expect([exitCode, stderr]).toEqual([expected, expect.stringMatching(/\w/)]);
  }
});

test("a log's key is for --verify only, and decides", async () => {
  const page = await fetch(`${service.url}/v1/audit/events?tenant_id=acme&limit=1&verify=true`, {
    headers: { authorization: `Bearer ${service.key}` },
  });
  const { evidence } = (await page.json()) as { evidence: { keys: string[] } };
  const text = evidence.keys[0]!;
  expect((await run('events', '--key', text)).exitCode).toBe(3);
  const given = await run('events', '--oldest', '--limit', '3', '--verify', '--key', text);
  expect([given.exitCode, given.stdout]).toEqual([5, expect.stringContaining('key given')]);
});
