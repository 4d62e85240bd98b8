import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { uuidv7 } from '@tallystick/event';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunOptions, tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

// A command on a busy machine takes seconds, and a test has several.
vi.setConfig({ testTimeout: 120_000 });
const dir = tempDir();
let service: Service;
const run = (args: readonly string[], options: RunOptions = {}) =>
  tally(args, {
    cwd: dir.path,
    ...options,
    env: {
      XDG_CONFIG_HOME: join(dir.path, 'config'),
      ...service.env,
      TALLYSTICK_TENANT: 'acme',
      ...options.env,
    },
  });
const auditor = (...args: readonly string[]) =>
  tally(args, { cwd: dir.path, env: { XDG_CONFIG_HOME: join(dir.path, 'auditor') } });

async function emit(events: readonly object[]): Promise<void> {
  await service.submit({ events });
}
const event = (actor_id: string, more: object = {}) => ({
  audit_id: uuidv7(),
  tenant_id: 'acme',
  timestamp: '2026-03-01T10:30:00.000Z',
  source_service: 'cms',
  event_type: 'content.publish',
  actor_type: 'user',
  actor_id,
  ...more,
});
/** Files that an interrupted export would leave. */
const leftovers = () => readdirSync(dir.path).filter((name) => name.includes('.part'));
let key = '';

beforeAll(async () => {
  service = await openService(join(dir.path, 'store'));
  for (let part = 0; part < 3; part++)
    await emit(
      Array.from({ length: 400 }, (_, at) => event(at % 2 === 0 ? 'ann' : '=cmd()', { metadata: { at } })),
    );
  const page = await fetch(`${service.url}/v1/audit/events?tenant_id=acme&limit=1&verify=true`, {
    headers: { authorization: `Bearer ${service.key}` },
  });
  key = ((await page.json()) as { evidence: { keys: string[] } }).evidence.keys[0]!;
}, 180_000);
afterAll(async () => {
  await service.close();
  dir.remove();
});

test('a filtered export is an archive with the table, the records, one proof and the checkpoint, and verifies offline', async () => {
  const exported = await run(['export', '--format', 'csv', '--actor', 'ann', '--evidence', 'ann.zip']);
  expect([exported.exitCode, exported.stdout]).toEqual([0, '']);
  expect(exported.stderr).toMatch(
    /^wrote ann\.zip with [1-9]\d* events; check it with: tally verify ann\.zip\n$/,
  );
  expect(leftovers()).toEqual([]);
  const { stdout, exitCode } = await auditor('verify', 'ann.zip', '--key', key);
  expect(exitCode).toBe(5);
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    '◐ A SELECTION of a trail, verified  acme  600 of 600 records are in the tree of 1201',
    '  omissions not covered: events that match may have been left out',
    `  key given: ${key}`,
  ]);
  const json = await auditor('verify', 'ann.zip', '--key', key, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    verdict: 'verified_selection',
    verified: 600,
    omissions: 'not covered',
  });
  // Any other program reads the archive too. The table is that of a plain export.

  const csv = await run(['export', '--format', 'csv', '--actor', 'ann']);
  expect(unzipped('ann.zip', 'events.csv')).toBe(csv.stdout);
});

/** A file of an archive, as another program reads it. */
const unzipped = (archive: string, file: string) =>
  execFileSync('python3', ['-c', unzip, join(dir.path, archive), file], { maxBuffer: 1 << 26 }).toString();
const unzip = 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))';

test('without a trusted key, for another tenant, or against a checkpoint of another log, it is no good answer', async () => {
  expect((await auditor('verify', 'ann.zip')).exitCode).toBe(2);
  const other = await auditor('verify', 'ann.zip', '--key', key, '--tenant', 'globex');
  expect([other.exitCode, other.stderr]).toEqual([
    3,
    expect.stringContaining('ann.zip is of acme, not of globex'),
  ]);
  expect((await auditor('verify', 'ann.zip', '--key', key.replace('acme', 'globex'))).exitCode).toBe(3);
  // What was verified before is compared: the service proves that both checkpoints are of one log.
  expect((await run(['verify'])).exitCode).toBe(0);
  const compared = await run(['verify', 'ann.zip', '--tenant', 'acme']);
  expect([compared.exitCode, compared.stdout]).toEqual([
    5,
    expect.stringContaining('compared with the checkpoint of'),
  ]);
});

test('the newest records are covered, because an export signs a checkpoint; one without a match is not verifiable', async () => {
  await emit([event('last')]);
  await run(['export', '--format', 'csv', '--actor', 'last', '--evidence', 'last.zip']);
  expect((await auditor('verify', 'last.zip', '--key', key)).stdout).toContain(
    '1 of 1 records are in the tree',
  );
  await run(['export', '--format', 'csv', '--actor', 'nobody', '--evidence', 'none.zip']);
  const none = await auditor('verify', 'none.zip', '--key', key);
  expect([none.exitCode, none.stdout]).toEqual([2, expect.stringContaining('NOTHING_COVERED')]);
});

test('sensitive records are withheld from a reader without the scope, and their hashes are proven', async () => {
  await emit([event('agent-7', { is_sensitive: true, metadata: { secret: 'informant' } })]);
  const made = await run(['api-keys', 'create', '--name', 'low', '--scope', 'events:read']);
  expect(made.exitCode, made.stderr).toBe(0);
  const exported = await run(['export', '--format', 'csv', '--last', '2500', '--evidence', 'low.zip'], {
    env: { TALLYSTICK_API_KEY: made.stdout.trim() },
  });
  expect(exported.exitCode, exported.stderr).toBe(0);
  const records = unzipped('low.zip', 'records.jsonl');
  expect(records).not.toContain('informant');
  expect(records.match(/^\{"withheld":/gm)).toHaveLength(1);
  const { stdout, exitCode } = await auditor('verify', 'low.zip', '--key', key);
  expect([exitCode, stdout]).toEqual([5, expect.stringContaining('1 sensitive: only the hash was checked')]);
});

test('a file that was unpacked and packed again with a changed line names the line', async () => {
  const edit = `
import sys, zipfile
old = zipfile.ZipFile(sys.argv[1])
with zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as new:
    for name in old.namelist():
        data = old.read(name)
        if name == 'events.csv':
            lines = data.split(b'\\r\\n')
            lines[3] = lines[3].replace(b'ann', b'eve')
            del lines[10]
            lines.insert(20, lines[20])
            data = b'\\r\\n'.join(lines)
        new.writestr(name, data)
`;
  execFileSync('python3', ['-c', edit, join(dir.path, 'ann.zip'), join(dir.path, 'edited.zip')]);
  const { stdout, exitCode } = await auditor('verify', 'edited.zip', '--key', key);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/LINE_CHANGED +5 .*line 4 of events\.csv/);
  expect(stdout).toMatch(/LINE_MISSING +19 /);
  expect(stdout).toMatch(/LINE_ADDED +41 .*line 22 of events\.csv/);
});

test('options that do not fit are refused, and an interrupted export leaves nothing', async () => {
  for (const args of [
    ['--evidence', 'x.zip'],
    ['--format', 'jsonl', '--evidence', 'x.zip'],
    ['--format', 'csv', '-o', 'x.csv', '--evidence', 'x.zip'],
    ['--format', 'csv', '--resume', '--evidence', 'x.zip'],
  ]) {
    const { exitCode, stderr } = await run(['export', ...args]);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('--evidence needs --format csv')]);
  }
  const stopped = AbortSignal.abort();
  const { exitCode } = await run(['export', '--format', 'csv', '--evidence', 'x.zip'], { stopped });
  expect(exitCode).toBe(4);
  expect([existsSync(join(dir.path, 'x.zip')), leftovers()]).toEqual([false, []]);
  const missing = await run(['export', '--format', 'csv', '--evidence', 'no/folder/x.zip']);
  expect([missing.exitCode, missing.stderr]).toEqual([
    4,
    expect.stringContaining("can't write no/folder/x.zip: ENOENT"),
  ]);
  writeFileSync(join(dir.path, 'cut.zip'), readFileSync(join(dir.path, 'ann.zip')).subarray(0, 50_000));
  const cut = await auditor('verify', 'cut.zip', '--key', key);
  expect([cut.exitCode, cut.stderr]).toEqual([2, expect.stringContaining('EVIDENCE_MALFORMED')]);
});

test('a record that was changed in the database does not pass, in an export of the store itself', async () => {
  await service.close();
  await service.tamper(async (session) => {
    await session.query(
      `update audit_records set record = replace(record, '"actor_id":"ann"', '"actor_id":"eve"')
        where tenant_id = 'acme' and sequence_number = 41`,
    );
  });
  const data = join(dir.path, 'store');
  const env = { XDG_CONFIG_HOME: join(dir.path, 'config'), TALLYSTICK_TENANT: 'acme' };
  const from = ['--data', data, '--format', 'csv', '--first', '40', '--last', '43'];
  const exported = await tally(['export', ...from, '--evidence', 'tampered.zip'], { cwd: dir.path, env });
  expect(exported.exitCode, exported.stderr).toBe(0);
  expect(unzipped('tampered.zip', 'events.csv')).toContain(',eve,');
  const { stdout, exitCode } = await auditor('verify', 'tampered.zip', '--key', key);
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining('CHECKPOINT_ROOT_MISMATCH')]);
  // The record after it names the hash of the genuine one.
  expect(stdout).toMatch(/CHAIN_LINK_BROKEN +42/);
});
