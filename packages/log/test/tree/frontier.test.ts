import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.ts';
import {
  decodeFrontier,
  emptyFrontier,
  encodeFrontier,
  FrontierBuilder,
  frontierRoot,
} from '../../src/tree/frontier.ts';
import { emptyRoot, leafHash, nodeHash } from '../../src/tree/hash.ts';
import { decompose, foldRight } from '../../src/tree/nodes.ts';
import { countingTree, leafOf } from './naive-tree.ts';

const tree = countingTree(1_000);
const outOfRange = expect.objectContaining({ code: 'TREE_RANGE' });

describe('a frontier', () => {
  it('goes on where it was stored, with the same root as a tree built in one go', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 5 }), (batches) => {
        let frontier = emptyFrontier;
        for (const batch of batches) {
          const builder = new FrontierBuilder(decodeFrontier(frontier.size, encodeFrontier(frontier)));
          for (const leaf of tree.leaves.slice(builder.size, builder.size + batch)) builder.append(leaf);
          frontier = builder.snapshot();
        }
        expect(toHex(frontierRoot(frontier))).toBe(toHex(tree.root(frontier.size)));
      }),
    );
  });

  it('is not changed by a builder that starts from it, nor by one that made it', () => {
    const builder = new FrontierBuilder();
    for (const leaf of tree.leaves.slice(0, 7)) builder.append(leaf);
    const frontier = builder.snapshot();
    new FrontierBuilder(frontier).append(tree.leaves[7]!);
    builder.append(tree.leaves[7]!);
    expect(frontier.size).toBe(7);
    expect(toHex(frontierRoot(frontier))).toBe(toHex(tree.root(7)));
  });

  it('of nothing has the hash of nothing', () => {
    expect(toHex(frontierRoot(emptyFrontier))).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(new FrontierBuilder().root()).toBe(emptyRoot);
  });

  it.each([
    ['a hash too few', 3, 32],
    ['a hash too many', 4, 64],
    ['a hash that is cut', 1, 31],
    ['hashes for the empty tree', 0, 32],
    ['a negative size', -1, 0],
    ['a fractional size', 1.5, 32],
  ])('is refused with %s', (_, size, bytes) => {
    expect(() => decodeFrontier(size, new Uint8Array(bytes))).toThrow(outOfRange);
  });
});

describe('hashes', () => {
  it('put a prefix before leaves and nodes', () => {
    const data = new Uint8Array(32).fill(7);
    expect(toHex(leafHash(data))).toBe(toHex(leafOf(data)));
    expect(toHex(nodeHash(tree.leaves[0]!, tree.leaves[1]!))).toBe(toHex(tree.root(2)));
  });

  it('take 32 bytes and no others', () => {
    const hash = new Uint8Array(32);
    for (const length of [0, 31, 33, 64]) {
      expect(() => leafHash(new Uint8Array(length))).toThrow(outOfRange);
      expect(() => nodeHash(new Uint8Array(length), hash)).toThrow(outOfRange);
      expect(() => nodeHash(hash, new Uint8Array(length))).toThrow(outOfRange);
    }
  });
});

describe('decompose', () => {
  it('covers a range from an aligned beginning with perfect subtrees that fold to its hash', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.nat({ max: 4 }), (length, shift) => {
        const alignment = 2 ** Math.floor(Math.log2(length));
        const begin = alignment * shift;
        if (begin + length > 1_000) return;
        const nodes = decompose(begin, begin + length);
        const hashes = nodes.map(({ height, index }) =>
          tree.hash(index * 2 ** height, (index + 1) * 2 ** height),
        );
        expect(toHex(foldRight(hashes))).toBe(toHex(tree.hash(begin, begin + length)));
      }),
    );
  });

  it('has nothing to fold for an empty range', () => {
    expect(decompose(3, 3)).toEqual([]);
    expect(() => foldRight([])).toThrow(outOfRange);
  });
});
