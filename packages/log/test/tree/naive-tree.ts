import { createHash } from 'node:crypto';
import type { NodeReader } from '../../src/tree/nodes.ts';
import { type TileId, tileWidthAt } from '../../src/tree/tile.ts';

/** The recursive definitions of RFC 6962 and RFC 9162, with Node's hash function. The tests compare proofs with them. */

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

export const leafOf = (data: Uint8Array): Uint8Array => sha256(Uint8Array.of(0), data);

export class NaiveTree {
  /** Leaf hashes. */
  readonly leaves: readonly Uint8Array[];
  readonly #memo = new Map<string, Uint8Array>();

  constructor(leaves: readonly Uint8Array[]) {
    this.leaves = leaves;
  }

  /** MTH(D[begin:end]), RFC 9162 section 2.1.1. */
  hash(begin: number, end: number): Uint8Array {
    if (end === begin) return sha256();
    if (end - begin === 1) return this.leaves[begin]!;
    const key = `${begin}-${end}`;
    let hash = this.#memo.get(key);
    if (hash === undefined) {
      const k = split(end - begin);
      hash = sha256(Uint8Array.of(1), this.hash(begin, begin + k), this.hash(begin + k, end));
      this.#memo.set(key, hash);
    }
    return hash;
  }

  root(size: number): Uint8Array {
    return this.hash(0, size);
  }

  /** PATH(m, D_n), section 2.1.3.1. */
  path(m: number, size: number, begin = 0): Uint8Array[] {
    if (size === 1) return [];
    const k = split(size);
    if (m < k) return [...this.path(m, k, begin), this.hash(begin + k, begin + size)];
    return [...this.path(m - k, size - k, begin + k), this.hash(begin, begin + k)];
  }

  /** PROOF(m, D_n), section 2.1.4.1. */
  proof(m: number, size: number): Uint8Array[] {
    return this.#subproof(m, 0, size, true);
  }

  #subproof(m: number, begin: number, size: number, known: boolean): Uint8Array[] {
    if (m === size) return known ? [] : [this.hash(begin, begin + size)];
    const k = split(size);
    if (m <= k) return [...this.#subproof(m, begin, k, known), this.hash(begin + k, begin + size)];
    return [...this.#subproof(m - k, begin + k, size - k, false), this.hash(begin, begin + k)];
  }

  readonly nodes: NodeReader = async (nodes) =>
    nodes.map(({ height, index }) => {
      const width = 2 ** height;
      if ((index + 1) * width > this.leaves.length) throw new Error('the node lies outside the tree');
      return this.hash(index * width, (index + 1) * width);
    });

  /** The hashes of a tile in the tree of `size` leaves, by definition: roots of subtrees of 256^level leaves. */
  tile({ level, index }: TileId, size: number): Uint8Array {
    const width = 256 ** level;
    const hashes = Array.from({ length: tileWidthAt({ level, index }, size) }, (_, at) => {
      const begin = (index * 256 + at) * width;
      return this.hash(begin, begin + width);
    });
    return new Uint8Array(Buffer.concat(hashes));
  }
}

/** Largest power of two smaller than n. */
function split(n: number): number {
  let k = 1;
  while (k < n) k *= 2;
  return k / 2;
}

/** A tree of `size` leaves whose data is the big-endian index, hashed. */
export function countingTree(size: number): NaiveTree {
  const leaves = Array.from({ length: size }, (_, at) => {
    const data = new Uint8Array(4);
    new DataView(data.buffer).setUint32(0, at);
    return leafOf(sha256(data));
  });
  return new NaiveTree(leaves);
}

export const flip = (hash: Uint8Array, bit = 0): Uint8Array =>
  hash.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
