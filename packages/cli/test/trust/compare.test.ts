import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { formatForkReport } from '@tallystick/verify';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { head3, head5, leaves, plain, signedAll } from '../../../../spec/vectors/generator/bundle-parts.ts';
import { linesOf, seal } from '../../../../spec/vectors/generator/bundle-writer.ts';
import { chain, checkpoint, event, otherKey, trusted } from '../../../../spec/vectors/generator/fixture.ts';
import { consistency, leavesOf, root } from '../../../../spec/vectors/generator/naive-tree.ts';
import { tally } from '../run-tally.ts';

const dir = tempDir();
let env: { XDG_CONFIG_HOME: string };
let run = 0;
afterAll(() => dir.remove());
beforeEach(() => {
  env = { XDG_CONFIG_HOME: join(dir.path, `config-${run++}`) };
});

const write = (name: string, text: string | Uint8Array) => writeFileSync(join(dir.path, name), text);
const verify = (...args: string[]) => tally(['verify', ...args], { cwd: dir.path, env });
const evidence = () =>
  readdirSync(join(env.XDG_CONFIG_HOME, 'tallystick/evidence')).map((file) =>
    readFileSync(join(env.XDG_CONFIG_HOME, 'tallystick/evidence', file), 'utf8'),
  );

const forked = chain(7, { 2: { event: event(2, { actor_id: 'mallory' }) } });
const fork = await signedAll(forked);
const forkHead = fork.checkpoints[0]!;
const forkLeaves = leavesOf(forked);
const report = (changes: object = {}) =>
  formatForkReport({
    kept: head5,
    keptAt: '2026-03-01T12:00:00Z',
    shown: forkHead,
    shownAt: '2026-03-02T12:00:00Z',
    consistency: consistency(5, forkLeaves),
    server: 'https://audit.example.com/',
    ...changes,
  });

test('two checkpoints of one size are of one log if their roots are equal, and a contradiction otherwise', async () => {
  write('a.checkpoint', head5);
  write('b.tally', seal(linesOf(plain)));
  const same = await verify('--compare', 'a.checkpoint', 'b.tally', '--key', trusted);
  expect([same.exitCode, same.stdout]).toEqual([0, expect.stringContaining('one log')]);
  const other = await checkpoint(5, root(forkLeaves.slice(0, 5)));
  write('other.checkpoint', other);
  const apart = await verify('--compare', 'a.checkpoint', 'other.checkpoint', '--key', trusted);
  expect([apart.exitCode, apart.stdout]).toEqual([1, expect.stringContaining('CONTRADICTION')]);
  expect(evidence().sort()).toEqual([head5, other].sort());
});

test('without a proof, or without a key that signed both, nothing is claimed', async () => {
  write('a.checkpoint', head3);
  write('b.checkpoint', head5);
  const unproven = await verify('--compare', 'a.checkpoint', 'b.checkpoint', '--key', trusted);
  expect([unproven.exitCode, unproven.stdout]).toEqual([
    2,
    expect.stringContaining('there is no proof between both'),
  ]);
  const forged = await checkpoint(5, root(forkLeaves.slice(0, 5)), { keys: [otherKey] });
  write('forged.checkpoint', forged);
  const framed = await verify('--compare', 'b.checkpoint', 'forged.checkpoint', '--key', trusted);
  expect([framed.exitCode, framed.stdout]).toEqual([2, expect.stringContaining('no key that you trust')]);
});

test("the report of a reader's browser proves a fork to a third party, and nothing that its proof does not show", async () => {
  write('report.json', report());
  const proven = await verify('report.json', '--key', trusted);
  expect([proven.exitCode, proven.stdout]).toEqual([1, expect.stringContaining('CONTRADICTION')]);
  expect(evidence().sort()).toEqual([head5, forkHead].sort());
  // A reader can't frame an honest operator with a false proof.
  const honest = { kept: head3, shown: head5 };
  write('framed.json', report({ ...honest, consistency: consistency(3, forkLeaves.slice(0, 5)) }));
  expect((await verify('framed.json', '--key', trusted)).exitCode).toBe(2);
  write('fine.json', report({ ...honest, consistency: consistency(3, leaves) }));
  expect((await verify('fine.json', '--key', trusted)).exitCode).toBe(0);
  write('cut.json', report().slice(0, 300));
  expect((await verify('cut.json', '--key', trusted)).exitCode).toBe(2);
});

test('files that hold no checkpoint, and a wrong number of files, are usage errors', async () => {
  write('a.checkpoint', head5);
  write('text.txt', 'hello');
  expect((await verify('--compare', 'a.checkpoint', 'text.txt')).exitCode).toBe(3);
  expect((await verify('--compare', 'a.checkpoint')).exitCode).toBe(3);
});
