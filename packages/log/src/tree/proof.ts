import { equalBytes } from '../bytes.ts';
import { LogError } from '../errors.ts';
import { emptyRoot, nodeHash } from './hash.ts';
import { decompose, foldRight, type Node, type NodeReader } from './nodes.ts';

/** Merkle proofs: made by RFC 9162 sections 2.1.3.1 and 2.1.4.1, checked by sections 2.1.3.2 and 2.1.4.2. */

/** Largest power of two smaller than `n`, n > 1. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

async function hashRanges(ranges: readonly [number, number][], read: NodeReader): Promise<Uint8Array[]> {
  const parts = ranges.map(([begin, end]) => decompose(begin, end));
  const hashes = await read(parts.flat() as Node[]);
  let at = 0;
  return parts.map((nodes) => {
    const ofRange = hashes.slice(at, at + nodes.length);
    at += nodes.length;
    return foldRight(ofRange);
  });
}

/**
 * The inclusion proof of leaf `index` in the tree of `size` leaves: sibling hashes from the leaf up to the root.
 *
 * @throws {LogError} `TREE_RANGE` unless 0 ≤ index < size
 */
export async function proveInclusion(index: number, size: number, read: NodeReader): Promise<Uint8Array[]> {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new LogError('TREE_RANGE', `leaf ${index} is not in a tree of ${size}`);
  }
  const ranges: [number, number][] = [];
  let begin = 0;
  let end = size;
  while (end - begin > 1) {
    const middle = begin + split(end - begin);
    if (index < middle) {
      ranges.push([middle, end]);
      end = middle;
    } else {
      ranges.push([begin, middle]);
      begin = middle;
    }
  }
  return hashRanges(ranges.reverse(), read);
}

/**
 * The consistency proof between the trees of `first` and `second` leaves, 0 < first ≤ second; empty where they are equal.
 *
 * @throws {LogError} `TREE_RANGE` for other sizes
 */
export async function proveConsistency(
  first: number,
  second: number,
  read: NodeReader,
): Promise<Uint8Array[]> {
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || first < 1 || first > second) {
    throw new LogError('TREE_RANGE', `no consistency proof from ${first} to ${second}`);
  }
  const ranges: [number, number][] = [];
  let begin = 0;
  let end = second;
  let known = true;
  while (first < end) {
    const middle = begin + split(end - begin);
    if (first <= middle) {
      ranges.push([middle, end]);
      end = middle;
    } else {
      ranges.push([begin, middle]);
      begin = middle;
      known = false;
    }
  }
  if (!known) ranges.push([begin, end]);
  return hashRanges(ranges.reverse(), read);
}

function assertHashes(proof: readonly Uint8Array[]): void {
  if (proof.some((hash) => hash.length !== 32)) {
    throw new LogError('PROOF_INVALID', 'a hash of a proof must have 32 bytes');
  }
}

/**
 * Computes the root from a leaf and its inclusion proof.
 *
 * @throws {LogError} `PROOF_INVALID` where the proof does not have the length that index and size require
 */
export function rootFromInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): Uint8Array {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new LogError('PROOF_INVALID', 'the leaf lies outside the tree');
  }
  assertHashes([leaf, ...proof]);
  let fn = index;
  let sn = size - 1;
  let root = leaf;
  for (const hash of proof) {
    if (sn === 0) throw new LogError('PROOF_INVALID', 'the inclusion proof is too long');
    if (fn % 2 === 1 || fn === sn) {
      root = nodeHash(hash, root);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      root = nodeHash(root, hash);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  if (sn !== 0) throw new LogError('PROOF_INVALID', 'the inclusion proof is too short');
  return root;
}

/**
 * Verifies that the leaf is at `index` of the tree with this size and root.
 *
 * @throws {LogError} `PROOF_INVALID` where it is not
 */
export function verifyInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void {
  if (!equalBytes(rootFromInclusion(index, size, leaf, proof), root)) {
    throw new LogError('PROOF_INVALID', 'the inclusion proof leads to another root');
  }
}

/**
 * The two roots that a consistency proof leads to. If the second one is that of a signed tree, then the signature also covers the first one:
 * it is the root of the first leaves of that tree. A signed tree of this size with another root is of another log.
 *
 * @param firstRoot the proof for a first tree that is a perfect subtree does not contain its root, and begins with this one
 * @throws {LogError} `PROOF_INVALID` for a proof that does not have the length for these sizes
 */
export function rootsFromConsistency(
  first: number,
  second: number,
  proof: readonly Uint8Array[],
  firstRoot: Uint8Array,
): { readonly first: Uint8Array; readonly second: Uint8Array } {
  const invalid = (why: string) => new LogError('PROOF_INVALID', why);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || first <= 0 || first >= second)
    throw invalid('the first tree is not smaller than the second');
  assertHashes([firstRoot, ...proof]);
  const path = [...proof];
  let fn = first - 1;
  let sn = second - 1;
  while (fn % 2 === 1) {
    fn = (fn - 1) / 2;
    sn = Math.floor(sn / 2);
  }
  // The root of a first tree that is a perfect subtree is not in the proof: the computation begins with it.
  const seed = fn === 0 ? firstRoot : path.shift();
  if (seed === undefined) throw invalid('the consistency proof is too short');
  let fr = seed;
  let sr = seed;
  for (const hash of path) {
    if (sn === 0) throw invalid('the consistency proof is too long');
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(hash, fr);
      sr = nodeHash(hash, sr);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      sr = nodeHash(sr, hash);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  if (sn !== 0) throw invalid('the consistency proof is too short');
  return { first: fr, second: sr };
}

/**
 * Verifies that the second tree extends the first.
 *
 * @throws {LogError} `PROOF_INVALID` where it does not
 */
export function verifyConsistency(
  first: number,
  second: number,
  proof: readonly Uint8Array[],
  firstRoot: Uint8Array,
  secondRoot: Uint8Array,
): void {
  const invalid = (why: string) => new LogError('PROOF_INVALID', why);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || first < 0 || first > second) {
    throw invalid('the first tree is larger than the second');
  }
  assertHashes([firstRoot, secondRoot, ...proof]);
  if (first === second || first === 0) {
    if (proof.length > 0) throw invalid('the consistency proof is too long');
    if (!equalBytes(firstRoot, first === 0 ? emptyRoot : secondRoot)) throw invalid('the roots differ');
    return;
  }
  const roots = rootsFromConsistency(first, second, proof, firstRoot);
  if (!equalBytes(roots.first, firstRoot)) throw invalid('the proof leads to another first root');
  if (!equalBytes(roots.second, secondRoot)) throw invalid('the proof leads to another second root');
}
