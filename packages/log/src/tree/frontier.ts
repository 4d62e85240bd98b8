import { concatBytes } from '../bytes.ts';
import { LogError } from '../errors.ts';
import { emptyRoot, nodeHash } from './hash.ts';
import { decompose, type Node } from './nodes.ts';

/**
 * The right edge of a Merkle tree: the roots of its perfect subtrees, largest first, one for each 1-bit of the size
 * (a compact range from 0). These at most 53 hashes suffice to append leaves and to compute the root.
 */
export interface Frontier {
  readonly size: number;
  readonly roots: readonly Uint8Array[];
}

/** The frontier of the empty tree. */
export const emptyFrontier: Frontier = Object.freeze({ size: 0, roots: Object.freeze([]) });

/** The nodes that a frontier consists of, largest subtree first: read their hashes from a store to continue its tree. */
export function frontierNodes(size: number): Node[] {
  return decompose(0, size);
}

/** Appends leaves to a frontier, in place. */
export class FrontierBuilder {
  #size: number;
  readonly #roots: Uint8Array[];

  constructor(start: Frontier = emptyFrontier) {
    assertFrontier(start);
    this.#size = start.size;
    this.#roots = [...start.roots];
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Appends one leaf hash.
   *
   * @param onTile called for each level (0, 1, …) of 256-wide tiles that this leaf completes, with the root of the
   *   completed tile; a tile of level L covers 256^(L+1) leaves
   */
  append(leaf: Uint8Array, onTile?: (level: number, root: Uint8Array) => void): void {
    let hash = leaf;
    let height = 0;
    // For each trailing 1-bit of the old size, the new leaf joins two perfect subtrees into a larger one.
    let carry = this.#size;
    while (carry % 2 === 1) {
      hash = nodeHash(this.#roots.pop()!, hash);
      height++;
      if (height % 8 === 0) onTile?.(height / 8 - 1, hash);
      carry = (carry - 1) / 2;
    }
    this.#roots.push(hash);
    this.#size++;
  }

  /** RFC 6962 Merkle tree hash of all leaves so far. */
  root(): Uint8Array {
    return rootOf(this.#roots);
  }

  /** A copy of the present frontier. */
  snapshot(): Frontier {
    return { size: this.#size, roots: [...this.#roots] };
  }
}

/** RFC 6962 Merkle tree hash of the tree with this right edge. */
export function frontierRoot(frontier: Frontier): Uint8Array {
  assertFrontier(frontier);
  return rootOf(frontier.roots);
}

function rootOf(roots: readonly Uint8Array[]): Uint8Array {
  let root: Uint8Array | undefined;
  for (let at = roots.length - 1; at >= 0; at--)
    root = root === undefined ? roots[at]! : nodeHash(roots[at]!, root);
  return root ?? emptyRoot;
}

/** The roots of a frontier, 32 bytes each, largest subtree first. A store keeps these bytes beside the size. */
export function encodeFrontier(frontier: Frontier): Uint8Array {
  return concatBytes(...frontier.roots);
}

/**
 * Reads the bytes that {@link encodeFrontier} makes.
 *
 * @throws {LogError} `TREE_RANGE` where the bytes do not fit the size
 */
export function decodeFrontier(size: number, bytes: Uint8Array): Frontier {
  const roots: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 32) roots.push(bytes.slice(at, at + 32));
  const frontier = { size, roots };
  assertFrontier(frontier);
  return frontier;
}

function assertFrontier(frontier: Frontier): void {
  if (!Number.isSafeInteger(frontier.size) || frontier.size < 0) {
    throw new LogError('TREE_RANGE', 'a tree size must be a non-negative integer');
  }
  let ones = 0;
  for (let rest = frontier.size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  if (frontier.roots.length !== ones || frontier.roots.some((root) => root.length !== 32)) {
    throw new LogError(
      'TREE_RANGE',
      `a tree of ${frontier.size} leaves has ${ones} frontier hashes of 32 bytes`,
    );
  }
}
