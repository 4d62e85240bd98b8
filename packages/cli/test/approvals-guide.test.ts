import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createClient } from '@tallystick/client';
import { runSnippet, tempDir, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openService, type Service } from './commands/service.ts';
import { tally } from './run-tally.ts';

/**
 * A reader follows docs/approvals.md. Its programs were fragments that did not run, and it did not say whose key decides. The tests run
 * in order on one service.
 */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
const guide = readFileSync(resolve(import.meta.dirname, '../../../docs/approvals.md'), 'utf8');
const programs = Array.from(guide.matchAll(/^```ts\n(.*?)^```$/gms), ([, code]) => code!);
const [ofService, ofEmbedded, ofRules] = programs;
const dir = tempDir();
let service: Service;

beforeAll(async () => {
  service = await openService(join(dir.path, 'store'));
});
afterAll(async () => {
  await service.close();
  dir.remove();
});

const envOf = (key: string) => ({
  XDG_CONFIG_HOME: dir.path,
  TALLYSTICK_URL: service.url,
  TALLYSTICK_API_KEY: key,
});
/** Runs the only line of the guide that begins like this, with what the reader fills in. */
const follow = async (begin: string, key = service.key, fill = (line: string) => line) => {
  const [line, ...others] = guide.split('\n').filter((each) => each.startsWith(begin));
  expect(others).toEqual([]);
  const words = fill(line!)
    .match(/'[^']*'|\S+/g)!
    .map((word) => word.replaceAll("'", ''));
  const ran = await tally(words.slice(1), { cwd: dir.path, env: envOf(key) });
  expect(ran, line).toMatchObject({ exitCode: 0 });
  return ran.stdout.trim();
};
const run = (program: string, key: string) =>
  runSnippet(program, { cwd: dir.path, env: { ...process.env, ...envOf(key) } });

test('a request of the application waits, is granted by another person, and ends in the trail', async () => {
  const refunds = await follow('tally api-keys create --name refunds');
  const maria = await follow('tally api-keys create --name maria');
  const printed = run(ofService!, refunds);
  const ended = printed.then((text): never => {
    throw new Error(`the program did not wait: ${text}`);
  });
  const client = createClient({ url: service.url, apiKey: maria });
  const find = async () => (await client.approvals.list({ state: 'pending' })).approvals[0];
  // A program that fails before it requests must not be waited for.
  const { id } = (await Promise.race([ended, until(find, { timeoutMs: 120_000, what: 'the request' })]))!;

  const example = '019ca97b-f880-7000-8000-000000000002';
  expect(await follow('tally approvals list', maria)).toContain(id);
  const shown = await follow('tally approvals show', maria, (line) => line.replace(example, id));
  const [, digest] = /digest +sha256:([0-9a-f]{32})/.exec(shown)!;
  await follow('tally approvals grant', maria, (line) =>
    line.replace(example, id).replace(/--digest \S+/, `--digest ${digest}`),
  );

  expect(await printed).toContain(`waits for approval ${id}\nrefunded { order: 'o-17', amount: 40 }`);
  const { stdout } = await tally(['events', '--tenant', 'acme', '--json'], {
    cwd: dir.path,
    env: envOf(service.key),
  });
  const types = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => /"event_type":"([^"]+)"/.exec(line)![1]);
  expect(types.toReversed()).toEqual(
    expect.arrayContaining([
      'agent.action.intended',
      'agent.action.decided',
      'approval.requested',
      'approval.granted',
      'audit.operation_begun',
      'approval.claimed',
      'agent.action.completed',
    ]),
  );
});

test('the desk of an embedded trail decides in the same process', async () => {
  expect(await run(ofEmbedded!, '')).toContain("refunded { order: 'o-17', amount: 40 }");
});

test('an administrator sets minimum rules', async () => {
  expect(await run(ofRules!, service.key)).toContain("break_glass: 'allowed'");
});

test('the guide has no other program', () => {
  expect(programs).toHaveLength(3);
});
