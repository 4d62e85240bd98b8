import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.ts';
import { emptyRoot } from '../../src/tree/hash.ts';
import { MultiproofReader, multiproofGap, proveLeaves, verifyMultiproof } from '../../src/tree/multiproof.ts';
import { nodesFromTiles } from '../../src/tree/nodes.ts';
import { verifyInclusion } from '../../src/tree/proof.ts';
import { countingTree, flip, type NaiveTree } from './naive-tree.ts';

const small = countingTree(70);
const large = countingTree(66_000);
const hexes = (hashes: readonly Uint8Array[]) => hashes.map(toHex);
const leavesAt = (tree: NaiveTree, indexes: readonly number[]) =>
  indexes.map((index) => ({ index, hash: tree.leaves[index]! }));

function refused(check: () => void): boolean {
  try {
    check();
    return false;
  } catch (error) {
    return (error as { code?: string }).code === 'PROOF_INVALID';
  }
}

/**
 * The definition, tried out on every perfect subtree: it is in the proof if it has no proven leaf, and the subtree of twice the width
 * around it has one or does not fit into the tree.
 */
function naiveProof(tree: NaiveTree, indexes: readonly number[], size: number): Uint8Array[] {
  const isFree = (begin: number, width: number) =>
    begin + width <= size && !indexes.some((index) => index >= begin && index < begin + width);
  const found: [begin: number, hash: Uint8Array][] = [];
  for (let width = 1; width <= size; width *= 2) {
    for (let begin = 0; begin + width <= size; begin += width) {
      if (!isFree(begin, width) || isFree(begin - (begin % (2 * width)), 2 * width)) continue;
      found.push([begin, tree.hash(begin, begin + width)]);
    }
  }
  return found.sort(([a], [b]) => a - b).map(([, hash]) => hash);
}

const selection = (max: number) =>
  fc.integer({ min: 1, max }).chain((size) =>
    fc.record({
      size: fc.constant(size),
      indexes: fc
        .uniqueArray(fc.nat({ max: size - 1 }), { minLength: 1, maxLength: 12 })
        .map((indexes) => indexes.sort((a, b) => a - b)),
    }),
  );

/** Changes of a proof that leave no valid one. */
function mutations(proof: readonly Uint8Array[]): Uint8Array[][] {
  const mutants = [
    [...proof, emptyRoot],
    [emptyRoot, ...proof],
  ];
  for (let at = 0; at < proof.length; at++) {
    mutants.push(proof.toSpliced(at, 1), proof.toSpliced(at, 1, flip(proof[at]!, 17 * (at % 15))));
    mutants.push(proof.toSpliced(at, 0, proof[at]!), proof.toSpliced(at, 1, proof[at]!.subarray(1)));
    if (at > 0) mutants.push(proof.toSpliced(at - 1, 2, proof[at]!, proof[at - 1]!));
  }
  return mutants;
}

describe('a multiproof', () => {
  it('is that of the definition, and no other list of hashes passes', async () => {
    await fc.assert(
      fc.asyncProperty(selection(70), async ({ size, indexes }) => {
        const proof = await proveLeaves(indexes, size, small.nodes);
        expect(hexes(proof)).toEqual(hexes(naiveProof(small, indexes, size)));
        const [leaves, root] = [leavesAt(small, indexes), small.root(size)];
        verifyMultiproof(leaves, size, proof, root);
        const passed = mutations(proof).filter(
          (mutant) => !refused(() => verifyMultiproof(leaves, size, mutant, root)),
        );
        expect(passed).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('proves what the single inclusion proofs of its leaves prove, and nothing that they refuse', async () => {
    await fc.assert(
      fc.asyncProperty(selection(66_000), fc.nat(), fc.nat(), async ({ size, indexes }, which, shift) => {
        const read = nodesFromTiles(size, async (tiles) => tiles.map((tile) => large.tile(tile, size)));
        const proof = await proveLeaves(indexes, size, read);
        const root = large.root(size);
        const leaves = leavesAt(large, indexes);
        for (const { index, hash } of leaves)
          verifyInclusion(index, size, hash, large.path(index, size), root);
        verifyMultiproof(leaves, size, proof, root);
        const at = which % leaves.length;
        // One leaf with the hash of another record, one at another place.
        const other = (leaves[at]!.index + 1 + (shift % 1_000)) % size;
        if (size > 1 && other !== leaves[at]!.index) {
          const changed = leaves.with(at, { ...leaves[at]!, hash: large.leaves[other]! });
          expect(refused(() => verifyMultiproof(changed, size, proof, root))).toBe(true);
          const moved = leaves.with(at, { ...leaves[at]!, index: other });
          expect(refused(() => verifyMultiproof(moved, size, proof, root))).toBe(true);
        }
        expect(refused(() => verifyMultiproof(leaves.toSpliced(at, 1), size, proof, root))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('of one leaf holds the hashes of its inclusion proof, those at the right edge not yet combined', async () => {
    for (const size of [1, 2, 4, 8, 16, 64]) {
      for (let index = 0; index < size; index++) {
        const proof = await proveLeaves([index], size, small.nodes);
        expect(hexes(proof).sort()).toEqual(hexes(small.path(index, size)).sort());
      }
    }
    expect(await proveLeaves([0], 7, small.nodes)).toHaveLength(4);
    expect(small.path(0, 7)).toHaveLength(3);
  });

  it('of all leaves has no hashes', async () => {
    const all = Array.from({ length: 21 }, (_, index) => index);
    expect(await proveLeaves(all, 21, small.nodes)).toEqual([]);
    verifyMultiproof(leavesAt(small, all), 21, [], small.root(21));
  });

  it('is smaller than the single proofs together', async () => {
    const indexes = Array.from({ length: 1_000 }, (_, at) => 20_000 + 3 * at);
    const proof = await proveLeaves(indexes, 66_000, large.nodes);
    const single = indexes.reduce((sum, index) => sum + large.path(index, 66_000).length, 0);
    expect(proof.length).toBeLessThan(single / 7);
  });

  it('is neither made nor accepted for leaves out of order, twice, outside the tree, or for none', async () => {
    const hash = small.leaves[0]!;
    for (const indexes of [[], [2, 1], [1, 1], [-1], [7], [0.5], [Number.NaN], [1, 2 ** 53]]) {
      await expect(proveLeaves(indexes, 7, small.nodes)).rejects.toMatchObject({ code: 'TREE_RANGE' });
      const leaves = indexes.map((index) => ({ index, hash }));
      expect(refused(() => verifyMultiproof(leaves, 7, [], small.root(7)))).toBe(true);
    }
    for (const size of [0, -1, 1.5, 2 ** 53, Number.NaN])
      expect(refused(() => verifyMultiproof([{ index: 0, hash }], size, [], emptyRoot))).toBe(true);
    expect(() => multiproofGap(2, 1)).toThrow(expect.objectContaining({ code: 'TREE_RANGE' }));
  });

  it('without a leaf is refused although its hashes lead to the root', () => {
    const reader = new MultiproofReader(7);
    const hashes = multiproofGap(0, 7).map(({ height, index }) =>
      small.hash(index * 2 ** height, (index + 1) * 2 ** height),
    );
    expect(refused(() => reader.finish(hashes))).toBe(true);
  });

  it('holds for indexes past 2^32, where bit operators would wrap', () => {
    const size = 2 ** 40 + 1;
    const leaf = flip(emptyRoot);
    // The last leaf's only sibling is the perfect subtree before it.
    const root = new MultiproofReader(2);
    root.add(1, leaf, [emptyRoot]);
    verifyMultiproof([{ index: 2 ** 40, hash: leaf }], size, [emptyRoot], root.finish([]));
    expect(new MultiproofReader(Number.MAX_SAFE_INTEGER).hashesBefore(2 ** 52)).toBe(1);
    expect(new MultiproofReader(Number.MAX_SAFE_INTEGER).hashesAfter()).toBe(53);
  });
});
