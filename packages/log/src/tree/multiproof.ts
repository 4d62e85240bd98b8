import { equalBytes } from '../bytes.ts';
import { LogError } from '../errors.ts';
import { nodeHash } from './hash.ts';
import { decompose, foldRight, type Node, type NodeReader } from './nodes.ts';

/**
 * One inclusion proof for several leaves of a tree (spec/log.md). The leaves between two proven ones, before the first and after the
 * last, are a gap. The proof has the hashes of the largest perfect subtrees that make up each gap, from left to right. So the indexes and
 * the size alone determine how many hashes there are and what each of them covers, and a reader of leaves and hashes in this order needs
 * no more memory than one hash per level.
 */

/**
 * The perfect subtrees of the gap `[begin, end)`, from left to right: at most two for each level of the tree.
 *
 * @throws {LogError} `TREE_RANGE` unless 0 ≤ begin ≤ end
 */
export function multiproofGap(begin: number, end: number): Node[] {
  if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || begin < 0 || begin > end) {
    throw new LogError('TREE_RANGE', `${begin} to ${end} is not a range of leaves`);
  }
  return decompose(begin, end);
}

/**
 * The proof that the tree of `size` leaves contains those of `indexes`.
 *
 * @param indexes strictly ascending, at least one
 * @throws {LogError} `TREE_RANGE` for other indexes, or for one outside the tree
 */
export async function proveLeaves(
  indexes: readonly number[],
  size: number,
  read: NodeReader,
): Promise<Uint8Array[]> {
  const nodes: Node[] = [];
  let next = 0;
  for (const index of indexes) {
    if (!Number.isSafeInteger(index) || index < next || index >= size) {
      throw new LogError('TREE_RANGE', 'the indexes of a multiproof must ascend and lie inside the tree');
    }
    nodes.push(...multiproofGap(next, index));
    next = index + 1;
  }
  if (next === 0) throw new LogError('TREE_RANGE', 'a multiproof needs a leaf');
  nodes.push(...multiproofGap(next, size));
  return [...(await read(nodes))];
}

/** Computes the root that proven leaves and the hashes between them lead to. Leaves come in ascending order, one at a time. */
export class MultiproofReader {
  readonly size: number;
  /** Number of leaves that are covered so far. */
  #covered = 0;
  #leaves = 0;
  /** The roots of the perfect subtrees of the covered leaves, largest first. */
  readonly #roots: { readonly height: number; readonly hash: Uint8Array }[] = [];

  /**
   * @param size of the tree, from a signed checkpoint: the proof does not determine it
   * @throws {LogError} `PROOF_INVALID` for a tree without leaves
   */
  constructor(size: number) {
    if (!Number.isSafeInteger(size) || size < 1) throw invalid('a tree without leaves proves nothing');
    this.size = size;
  }

  /**
   * How many hashes come before the leaf.
   *
   * @throws {LogError} `PROOF_INVALID` for a leaf that does not come after the last one, or that is outside the tree
   */
  hashesBefore(index: number): number {
    return this.#gapBefore(index).length;
  }

  /** How many hashes come after the last leaf. */
  hashesAfter(): number {
    return multiproofGap(this.#covered, this.size).length;
  }

  /**
   * Takes the next leaf.
   *
   * @param hashes those before the leaf, {@link hashesBefore} of them
   * @throws {LogError} `PROOF_INVALID` for another number of hashes, or a leaf out of order
   */
  add(index: number, leaf: Uint8Array, hashes: readonly Uint8Array[]): void {
    this.#fill(this.#gapBefore(index), hashes);
    this.#append(0, leaf);
    this.#leaves++;
  }

  /**
   * The root. Call it once, after the last leaf.
   *
   * @param hashes those after the last leaf, {@link hashesAfter} of them
   * @throws {LogError} `PROOF_INVALID` for another number of hashes, or without any leaf
   */
  finish(hashes: readonly Uint8Array[]): Uint8Array {
    if (this.#leaves === 0) throw invalid('a multiproof needs a leaf');
    this.#fill(multiproofGap(this.#covered, this.size), hashes);
    return foldRight(this.#roots.map(({ hash }) => hash));
  }

  #gapBefore(index: number): Node[] {
    if (!Number.isSafeInteger(index) || index < this.#covered || index >= this.size) {
      throw invalid('the leaves must ascend and lie inside the tree');
    }
    return multiproofGap(this.#covered, index);
  }

  #fill(gap: readonly Node[], hashes: readonly Uint8Array[]): void {
    if (hashes.length !== gap.length) {
      throw invalid(
        `${gap.length} hashes are needed at leaf ${this.#covered}, and there are ${hashes.length}`,
      );
    }
    for (const [at, { height }] of gap.entries()) this.#append(height, hashes[at]!);
  }

  /** Appends a perfect subtree, whose first leaf is at a multiple of its width. */
  #append(height: number, root: Uint8Array): void {
    if (root.length !== 32) throw invalid('a hash of a proof must have 32 bytes');
    this.#covered += 2 ** height;
    let [level, hash] = [height, root];
    while (this.#roots.at(-1)?.height === level) {
      hash = nodeHash(this.#roots.pop()!.hash, hash);
      level++;
    }
    this.#roots.push({ height: level, hash });
  }
}

/** A leaf that a multiproof is about. */
export interface ProvenLeaf {
  readonly index: number;
  /** The leaf's hash, see {@link leafHash}. */
  readonly hash: Uint8Array;
}

/**
 * Verifies that the tree with this size and root contains all the leaves.
 *
 * @param leaves strictly ascending by index, at least one
 * @throws {LogError} `PROOF_INVALID` where it does not, or where the proof has a hash too many or too few
 */
export function verifyMultiproof(
  leaves: readonly ProvenLeaf[],
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void {
  const reader = new MultiproofReader(size);
  let at = 0;
  const take = (count: number) => {
    at += count;
    return proof.slice(at - count, at);
  };
  for (const { index, hash } of leaves) reader.add(index, hash, take(reader.hashesBefore(index)));
  const found = reader.finish(take(reader.hashesAfter()));
  if (at !== proof.length) throw invalid('the multiproof is too long');
  if (!equalBytes(found, root)) throw invalid('the multiproof leads to another root');
}

function invalid(why: string): LogError {
  return new LogError('PROOF_INVALID', why);
}
