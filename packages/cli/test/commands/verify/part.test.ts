import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { afterAll, expect, test } from 'vitest';
import { linesOf, type Parts, seal } from '../../../../../spec/vectors/generator/bundle-writer.ts';
import { chain, checkpoint, trusted } from '../../../../../spec/vectors/generator/fixture.ts';
import { leavesOf, root } from '../../../../../spec/vectors/generator/naive-tree.ts';
import { tally } from '../../run-tally.ts';

/** Record 17 is taken out of a genuine bundle, and the rest is called a part. Every proof holds, but it is not the trail. */
const dir = tempDir();
afterAll(() => dir.remove());
const records = chain(20);
const leaves = leavesOf(records);
let runs = 0;

async function verify(parts: Parts, ...more: string[]) {
  writeFileSync(join(dir.path, 'x.tally'), seal(linesOf(parts)));
  const env = { XDG_CONFIG_HOME: join(dir.path, `config-${runs++}`) };
  return await tally(['verify', 'x.tally', '--key', trusted, ...more], { cwd: dir.path, env });
}

test('a part of a trail is announced as a part, with the records that are missing', async () => {
  const part = {
    records: records.toSpliced(17, 1),
    checkpoints: [await checkpoint(20, root(leaves))],
    complete: false,
    leaves,
  };
  const { exitCode, stdout } = await verify(part);
  expect(exitCode).toBe(5);
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    '◐ A PART of a trail, verified  acme  19 records of 20',
    '  covered: #0–#16, #18–#19',
    '  missing: #17 (1 record)',
  ]);
  const json = await verify(part, '--json');
  expect(json.exitCode).toBe(5);
  expect(json.stdout).toMatch(
    /^\{"verdict":"verified_partial","covered":\[\[0,16\],\[18,19\]\],"missing":\[\[17,17\]\]/,
  );
});

test('records after the last signature are shown apart and not counted as verified', async () => {
  const { exitCode, stdout } = await verify({
    records,
    checkpoints: [await checkpoint(18, root(leaves.slice(0, 18)))],
  });
  expect(exitCode).toBe(0);
  expect(stdout.split('\n').slice(0, 2)).toEqual([
    '✔ verified  acme  18 records, signed up to #17',
    '  2 records after #17 not signed yet, so not verified',
  ]);
});
