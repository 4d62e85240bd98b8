import { createHash } from 'node:crypto';

/** The definitions of RFC 9162 section 2.1, written down directly. Expected values must not come from the code under test. */

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

/** Largest power of two smaller than n. */
function split(n: number): number {
  let k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

export const leaf = (recordHash: Uint8Array): Uint8Array => sha256(Uint8Array.of(0), recordHash);

export function root(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0]!;
  const k = split(leaves.length);
  return sha256(Uint8Array.of(1), root(leaves.slice(0, k)), root(leaves.slice(k)));
}

export function inclusion(index: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return index < k ? [...inclusion(index, left), root(right)] : [...inclusion(index - k, right), root(left)];
}

export function consistency(first: number, leaves: readonly Uint8Array[], known = true): Uint8Array[] {
  if (first === leaves.length) return known ? [] : [root(leaves)];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return first <= k
    ? [...consistency(first, left, known), root(right)]
    : [...consistency(first - k, right, false), root(left)];
}

/**
 * The hashes of a multiproof (spec/log.md): those of the perfect subtrees without a proven leaf that no larger such subtree contains,
 * left to right.
 */
export function multiproof(indexes: readonly number[], leaves: readonly Uint8Array[]): Uint8Array[] {
  const isGap = (begin: number, width: number) =>
    begin + width <= leaves.length && !indexes.some((index) => index >= begin && index < begin + width);
  const found: (readonly [begin: number, hash: Uint8Array])[] = [];
  for (let width = 1; width <= leaves.length; width *= 2) {
    for (let begin = 0; begin < leaves.length; begin += width) {
      if (isGap(begin, width) && !isGap(begin - (begin % (2 * width)), 2 * width))
        found.push([begin, root(leaves.slice(begin, begin + width))]);
    }
  }
  return found.sort(([a], [b]) => a - b).map(([, hash]) => hash);
}

export const leavesOf = (records: readonly { readonly hash: Uint8Array }[]): Uint8Array[] =>
  records.map((record) => leaf(record.hash));
