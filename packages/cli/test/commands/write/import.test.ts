import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { afterAll, expect, test } from 'vitest';
import { fixture } from '../../import/map-fixture.ts';
import { type RunOptions, tally } from '../../run-tally.ts';

const dir = tempDir();
afterAll(() => dir.remove());
const run = (args: readonly string[], options: RunOptions = {}) =>
  tally(['import', ...args], { env: { XDG_CONFIG_HOME: dir.path }, cwd: dir.path, ...options });

test('a dry run writes events to stdout and the count to stderr', async () => {
  const { stdout, stderr, exitCode, json } = await run(
    ['--format', 'k8s-audit', '--tenant', 'acme', '--dry-run'],
    {
      stdin: fixture('k8s-three-stages.jsonl'),
    },
  );
  expect(json()).toHaveLength(3);
  expect(stdout.split('\n')[0]).toMatch(/^\{"actor_id":"jane@example.com"/);
  expect(stderr).toBe('3 mapped, 0 rejected\n');
  expect(exitCode).toBe(0);
});

test('the options go into the events', async () => {
  const options = ['--source', 'apiserver-1', '--cluster', 'prod', '--sensitive', '--retention-days', '30'];
  const { json } = await run(
    ['--format', 'k8s-audit', '--tenant', 'k8s-{objectRef.namespace|cluster}', '--dry-run', ...options],
    { stdin: fixture('k8s-event-list.json.txt') },
  );
  expect(json()).toMatchObject([
    {
      tenant_id: 'k8s-payments',
      source_service: 'apiserver-1',
      cluster: 'prod',
      is_sensitive: true,
      retention_days: 30,
    },
    { tenant_id: 'k8s-payments' },
    { tenant_id: 'k8s-cluster' },
  ]);
});

test('rejections are reported with their place, and have their own exit code', async () => {
  writeFileSync(join(dir.path, 'bad.jsonl'), `{"half\n${fixture('events.jsonl')}`);
  const { stderr, exitCode, json } = await run([
    '--format',
    'jsonl',
    '--tenant',
    'acme',
    '--dry-run',
    'bad.jsonl',
  ]);
  expect(stderr).toBe('warning: bad.jsonl:1: not JSON (SOURCE_MALFORMED)\n5 mapped, 1 rejected\n');
  expect(exitCode).toBe(1);
  expect(json()).toHaveLength(5);
});

test('only some rejections are printed one by one', async () => {
  const { stderr } = await run(['--format', 'jsonl', '--dry-run'], { stdin: '{\n'.repeat(500) });
  expect(stderr.split('\n').filter((line) => line.startsWith('warning: standard input:'))).toHaveLength(20);
  expect(stderr).toContain('further rejections are only counted');
  expect(stderr).toContain('0 mapped, 500 rejected');
});

test('on a terminal, import reports that input is missing and does not wait for it', async () => {
  const stdin = Object.assign(new (await import('node:stream')).Readable({ read() {} }), { isTTY: true });
  const { stderr, exitCode } = await run(['--format', 'jsonl', '--dry-run'], { stdin });
  expect(stderr).toContain('standard input is empty (NO_INPUT)');
  expect(exitCode).toBe(4);
});
