import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { head3, head5, leaves } from '../../../../spec/vectors/generator/bundle-parts.ts';
import { checkpoint, logKey, verifierKey } from '../../../../spec/vectors/generator/fixture.ts';
import { root } from '../../../../spec/vectors/generator/naive-tree.ts';
import { verifyBundle } from '../../src/index.ts';

const key = verifierKey('audit.example.com/acme/2', logKey);

const verify = async (file: string, keptOfClosed: readonly string[], mustReach = true) => {
  const bytes = readFileSync(join(import.meta.dirname, '../../../../spec/vectors/bundles', file));
  const source = (async function* () {
    yield bytes;
  })();
  const { verdict, findings } = await verifyBundle(source, { keys: [key], keptOfClosed, mustReach });
  return [verdict, findings.map((found) => `${found.code} ${found.epoch}/${found.sequence_number}`)];
};

test('kept checkpoints of a closed epoch that agree with its statement and its records', async () => {
  expect(await verify('closed.tally', [head3])).toEqual(['recovered', []]);
  expect(await verify('closed.tally', [head5])).toEqual(['recovered', []]);
});

test('a closed epoch that states fewer records than a kept checkpoint covers hides some', async () => {
  const kept = await checkpoint(9, root(leaves));
  const expected = ['broken', ['CHECKPOINT_INCONSISTENT 1/8']];
  expect(await verify('closed.tally', [kept])).toEqual(expected);
  // Also where the file has none of its records.
  expect(await verify('closed-left-out.tally', [kept], false)).toEqual(expected);
});

test('a kept checkpoint with another root contradicts the statement, or the records that are left', async () => {
  const other = root(leaves.slice(0, 2));
  expect(await verify('closed.tally', [await checkpoint(5, other)])).toEqual([
    'broken',
    ['CHECKPOINT_INCONSISTENT 1/4'],
  ]);
  expect(await verify('closed.tally', [await checkpoint(3, other)])).toEqual([
    'broken',
    ['CHECKPOINT_ROOT_MISMATCH 1/2'],
  ]);
});

test('a live log that leaves the records of a closed epoch out is broken; a file is not', async () => {
  expect(await verify('closed-left-out.tally', [])).toEqual(['broken', ['CLOSED_EPOCH_MISSING 1/null']]);
  expect(await verify('closed-left-out.tally', [], false)).toEqual(['recovered', []]);
});
