import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.ts';
import { FrontierBuilder } from '../../src/tree/frontier.ts';
import { emptyRoot, nodeHash } from '../../src/tree/hash.ts';
import { nodesFromTiles } from '../../src/tree/nodes.ts';
import {
  proveConsistency,
  proveInclusion,
  rootFromInclusion,
  verifyConsistency,
  verifyInclusion,
} from '../../src/tree/proof.ts';
import { type TileId, tileWidthAt } from '../../src/tree/tile.ts';
import { countingTree, flip } from './naive-tree.ts';

const hexes = (hashes: readonly Uint8Array[]) => hashes.map(toHex);
const invalid = expect.objectContaining({ code: 'PROOF_INVALID' });
/** Whether a check fails as it should; `expect` itself is too slow for the loops below. */
function refused(check: () => void): boolean {
  try {
    check();
    return false;
  } catch (error) {
    return (error as { code?: string }).code === 'PROOF_INVALID';
  }
}
const outOfRange = { code: 'TREE_RANGE' };

const small = countingTree(21);
/** One leaf past the second tile row, so that the tests can use every boundary up to there. */
const large = countingTree(65_538);
const boundaries = [1, 2, 255, 256, 257, 511, 512, 513, 65_280, 65_535, 65_536, 65_537, 65_538];

/** Whether two proofs are equal. A mutation only tests something if it changed the proof. */
function mutations(proof: readonly Uint8Array[]): Uint8Array[][] {
  const mutants = [
    [...proof, emptyRoot],
    [emptyRoot, ...proof],
  ];
  for (let at = 0; at < proof.length; at++) {
    mutants.push(proof.toSpliced(at, 1), proof.toSpliced(at, 1, flip(proof[at]!, 17 * at)));
    mutants.push(proof.toSpliced(at, 0, proof[at]!));
    if (at > 0) mutants.push(proof.toSpliced(at - 1, 2, proof[at]!, proof[at - 1]!));
  }
  return mutants;
}

describe('inclusion proofs', () => {
  it('equal those of the definition for every leaf of every small tree, and no other proof passes', async () => {
    for (let size = 1; size <= 20; size++) {
      const root = small.root(size);
      for (let index = 0; index < size; index++) {
        const leaf = small.leaves[index]!;
        const proof = await proveInclusion(index, size, small.nodes);
        expect(hexes(proof)).toEqual(hexes(small.path(index, size)));
        verifyInclusion(index, size, leaf, proof, root);
        const passed = mutations(proof).filter(
          (mutant) => !refused(() => verifyInclusion(index, size, leaf, mutant, root)),
        );
        expect(passed).toEqual([]);
        expect(refused(() => verifyInclusion(index, size, flip(leaf), proof, root))).toBe(true);
        expect(refused(() => verifyInclusion(index, size, leaf, proof, flip(root)))).toBe(true);
        const indexes = Array.from({ length: size }, (_, at) => at);
        const fitting = indexes.filter(
          (other) => !refused(() => verifyInclusion(other, size, leaf, proof, root)),
        );
        expect(fitting).toEqual([index]);
      }
    }
  });

  it('are those of the definition in large trees, read from tiles', async () => {
    const sizes = fc.oneof(fc.constantFrom(...boundaries), fc.integer({ min: 1, max: large.leaves.length }));
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (size, seed) => {
        for (const index of new Set([
          seed % size,
          0,
          size - 1,
          Math.min(255, size - 1),
          Math.min(256, size - 1),
        ])) {
          const read = nodesFromTiles(size, async (tiles) => tiles.map((tile) => large.tile(tile, size)));
          const proof = await proveInclusion(index, size, read);
          expect(hexes(proof)).toEqual(hexes(large.path(index, size)));
          verifyInclusion(index, size, large.leaves[index]!, proof, large.root(size));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('are not made for a leaf outside the tree', async () => {
    for (const [index, size] of [
      [0, 0],
      [1, 1],
      [-1, 1],
      [0.5, 1],
      [0, 1.5],
      [Number.NaN, 3],
      [3, 2 ** 53],
    ] as const) {
      await expect(proveInclusion(index, size, small.nodes)).rejects.toMatchObject(outOfRange);
      expect(() => rootFromInclusion(index, size, emptyRoot, [])).toThrow(invalid);
    }
  });

  it('hold for indexes past 2^32, where bit operators would wrap', () => {
    const size = 2 ** 40 + 1;
    // The last leaf's only sibling is the perfect subtree before it.
    const root = rootFromInclusion(2 ** 40, size, emptyRoot, [flip(emptyRoot)]);
    expect(toHex(root)).toBe(toHex(rootFromInclusion(1, 2, emptyRoot, [flip(emptyRoot)])));
    expect(() => rootFromInclusion(2 ** 40 - 1, size, emptyRoot, [flip(emptyRoot)])).toThrow(invalid);
  });

  it('are refused where a hash has another length than 32 bytes', () => {
    // A short hash once left bytes of an earlier call in the buffer that nodes are hashed from.
    for (const bytes of [0, 31, 33, 64]) {
      const odd = new Uint8Array(bytes);
      expect(() => rootFromInclusion(0, 2, emptyRoot, [odd])).toThrow(invalid);
      expect(() => rootFromInclusion(0, 2, odd, [emptyRoot])).toThrow(invalid);
      expect(() => verifyConsistency(1, 2, [odd], emptyRoot, emptyRoot)).toThrow(invalid);
      expect(() => verifyConsistency(1, 2, [emptyRoot], odd, emptyRoot)).toThrow(invalid);
    }
  });
});

describe('a proof of another length than the sizes demand', () => {
  // These proofs lead to the right roots. Only the number of their hashes is wrong.
  const [leaf, a, b] = [small.leaves[0]!, small.leaves[1]!, small.leaves[2]!];

  it('is too long, or too short, for an inclusion', () => {
    verifyInclusion(0, 2, leaf, [a], nodeHash(leaf, a));
    expect(() => verifyInclusion(0, 1, leaf, [a], nodeHash(leaf, a))).toThrow(invalid);
    expect(() => verifyInclusion(0, 1, leaf, [a], nodeHash(a, leaf))).toThrow(invalid);
    expect(() => verifyInclusion(0, 3, leaf, [a], nodeHash(leaf, a))).toThrow(invalid);
    expect(() => verifyInclusion(0, 2, leaf, [a, b], nodeHash(nodeHash(leaf, a), b))).toThrow(invalid);
  });

  it('is too long, or too short, for a consistency', () => {
    verifyConsistency(1, 2, [a], leaf, nodeHash(leaf, a));
    expect(() => verifyConsistency(1, 3, [a], leaf, nodeHash(leaf, a))).toThrow(invalid);
    expect(() => verifyConsistency(1, 2, [a, b], leaf, nodeHash(nodeHash(leaf, a), b))).toThrow(invalid);
    expect(() => verifyConsistency(1, 2, [], leaf, leaf)).toThrow(invalid);
  });
});

describe('consistency proofs', () => {
  it('are those of the definition between all small trees, and nothing else passes', async () => {
    for (let second = 1; second <= 20; second++) {
      for (let first = 1; first <= second; first++) {
        const [before, after] = [small.root(first), small.root(second)];
        const proof = await proveConsistency(first, second, small.nodes);
        expect(hexes(proof)).toEqual(hexes(small.proof(first, second)));
        verifyConsistency(first, second, proof, before, after);
        const passed = mutations(proof).filter(
          (mutant) => !refused(() => verifyConsistency(first, second, mutant, before, after)),
        );
        expect(passed).toEqual([]);
        expect(refused(() => verifyConsistency(first, second, proof, flip(before), after))).toBe(true);
        expect(refused(() => verifyConsistency(first, second, proof, before, flip(after)))).toBe(true);
        if (first < second) {
          expect(refused(() => verifyConsistency(second, first, proof, after, before))).toBe(true);
          expect(refused(() => verifyConsistency(first, second, proof, after, after))).toBe(true);
        }
      }
    }
  });

  it('are those of the definition between large trees, read from tiles', async () => {
    const sizes = fc.oneof(fc.constantFrom(...boundaries), fc.integer({ min: 1, max: large.leaves.length }));
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (a, b) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)];
        const read = nodesFromTiles(second, async (tiles) => tiles.map((tile) => large.tile(tile, second)));
        const proof = await proveConsistency(first, second, read);
        expect(hexes(proof)).toEqual(hexes(large.proof(first, second)));
        verifyConsistency(first, second, proof, large.root(first), large.root(second));
      }),
      { numRuns: 30 },
    );
  });

  it('from the empty tree are empty', () => {
    verifyConsistency(0, 5, [], emptyRoot, small.root(5));
    expect(() => verifyConsistency(0, 5, [emptyRoot], emptyRoot, small.root(5))).toThrow(invalid);
    expect(() => verifyConsistency(0, 5, [], small.root(1), small.root(5))).toThrow(invalid);
  });

  it('are not made for invalid sizes', async () => {
    for (const [first, second] of [
      [0, 1],
      [2, 1],
      [-1, 1],
      [1, 1.5],
      [Number.NaN, 1],
    ] as const) {
      await expect(proveConsistency(first, second, small.nodes)).rejects.toMatchObject(outOfRange);
      if (first !== 0)
        expect(() => verifyConsistency(first, second, [], emptyRoot, emptyRoot)).toThrow(invalid);
    }
  });
});

describe('nodesFromTiles', () => {
  it('asks for each tile once, and for O(log n) of them', async () => {
    const size = 65_537;
    let asked: readonly TileId[] = [];
    const read = nodesFromTiles(size, async (tiles) => {
      asked = tiles;
      return tiles.map((tile) => large.tile(tile, size));
    });
    await proveInclusion(12_345, size, read);
    expect(new Set(asked.map(({ level, index }) => `${level}/${index}`)).size).toBe(asked.length);
    expect(asked.length).toBeLessThanOrEqual(4);
  });

  it('refuses a tile that is missing or shorter than the tree says', async () => {
    const size = 300;
    const short = nodesFromTiles(size, async (tiles) =>
      tiles.map((tile) => large.tile(tile, size).subarray(32)),
    );
    await expect(proveInclusion(0, size, short)).rejects.toMatchObject(outOfRange);
    const missing = nodesFromTiles(size, async () => []);
    await expect(proveInclusion(0, size, missing)).rejects.toMatchObject(outOfRange);
  });
});

describe('the frontier', () => {
  it('has the root of every tree up to the second tile, and completes the tiles of the definition', () => {
    const builder = new FrontierBuilder();
    const tiles: string[] = [];
    const expected: string[] = [];
    for (const [at, leaf] of large.leaves.entries()) {
      builder.append(leaf, (level, root) => tiles.push(`${at + 1} ${level} ${toHex(root)}`));
      const size = at + 1;
      for (let level = 0; size % 256 ** (level + 1) === 0; level++) {
        expected.push(`${size} ${level} ${toHex(large.hash(size - 256 ** (level + 1), size))}`);
        expect(tileWidthAt({ level, index: size / 256 ** (level + 1) - 1 }, size)).toBe(256);
      }
      if (size <= 600 || boundaries.includes(size))
        expect(toHex(builder.root())).toBe(toHex(large.root(size)));
    }
    expect(tiles).toEqual(expected);
    expect(tiles).toHaveLength(257);
  });
});
