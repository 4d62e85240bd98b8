import {
  FrontierBuilder,
  leafHash,
  nodesFromTiles,
  proveConsistency,
  sha256,
  tileWidthAt,
} from '@tallystick/log';
import { expect, test } from 'vitest';
import { Findings } from '../src/report.ts';
import { TreeCheck } from '../src/tree-check.ts';

const hashes = Array.from({ length: 40 }, (_, at) => sha256(`record ${at}`));

function frontierOf(size: number) {
  const builder = new FrontierBuilder();
  for (const hash of hashes.slice(0, size)) builder.append(leafHash(hash));
  return builder;
}
const checkpoint = (size: number, root = frontierOf(size).root()) => ({
  origin: 'log.test/acme/1',
  size,
  root,
});
/** All leaves of these sizes are in one tile. */
const prove = (from: number, to: number) =>
  proveConsistency(
    from,
    to,
    nodesFromTiles(to, async (tiles) =>
      tiles.map((tile) => Buffer.concat(hashes.slice(0, tileWidthAt(tile, to)).map(leafHash))),
    ),
  );

function check(from: number, to: number, checkpoints: readonly ReturnType<typeof checkpoint>[]) {
  const findings = new Findings();
  const tree = new TreeCheck(checkpoints, findings, frontierOf(from).snapshot());
  for (const hash of hashes.slice(from, to)) tree.append(hash);
  return {
    tree,
    codes: () => findings.list.map(({ code, sequence_number }) => `${code} ${sequence_number}`),
  };
}

test('a part in the middle reaches a checkpoint within it', () => {
  const { tree, codes } = check(10, 20, [checkpoint(15)]);
  tree.finish(20);
  expect(codes()).toEqual([]);
});

test('a part before a checkpoint is connected with it by a proof', async () => {
  const { tree, codes } = check(10, 20, [checkpoint(33)]);
  await tree.finishPart(prove);
  expect(codes()).toEqual([]);
});

test('a part of another tree does not match, within the part and beyond it', async () => {
  const other = sha256('another tree');
  const { tree, codes } = check(10, 20, [checkpoint(15, other), checkpoint(33, other)]);
  expect(codes()).toEqual(['CHECKPOINT_ROOT_MISMATCH 14']);
  await tree.finishPart(prove);
  expect(codes()).toEqual(['CHECKPOINT_ROOT_MISMATCH 14', 'CHECKPOINT_ROOT_MISMATCH 32']);
});

test('a proof that the store cannot make is a mismatch', async () => {
  const { tree, codes } = check(0, 20, [checkpoint(33)]);
  await tree.finishPart(async () => undefined);
  expect(codes()).toEqual(['CHECKPOINT_ROOT_MISMATCH 32']);
});

test('an error of the store is thrown, and is not evidence', async () => {
  const { tree, codes } = check(0, 20, [checkpoint(33)]);
  const failing = async () => {
    throw new Error('the store is away');
  };
  await expect(tree.finishPart(failing)).rejects.toThrow('the store is away');
  expect(codes()).toEqual([]);
});
