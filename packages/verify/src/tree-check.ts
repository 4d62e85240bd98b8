import {
  type Checkpoint,
  equalBytes,
  type Frontier,
  FrontierBuilder,
  LogError,
  leafHash,
  toHex,
  verifyConsistency,
} from '@tallystick/log';
import { lastCovered } from './checkpoints.ts';
import type { FindingSink } from './report.ts';

/** Gives the consistency proof between two sizes of the stored tree; `undefined` where the store cannot make it. */
export type ConsistencyProver = (from: number, to: number) => Promise<readonly Uint8Array[] | undefined>;

/** Rebuilds a log's tree from its records' hashes, and compares the root with each checkpoint whose size it reaches. */
export class TreeCheck {
  readonly #frontier: FrontierBuilder;
  /** Checkpoints that are not reached yet, ascending by size. */
  readonly #ahead: Checkpoint[];
  readonly #findings: FindingSink;
  /** Checkpoints that the records contradict. */
  readonly mismatched = new Set<Checkpoint>();

  /**
   * @param checkpoints the trusted ones
   * @param start the tree of the records before the first one that is appended. It needs no trust: a wrong start leads to a
   *   wrong root
   */
  constructor(checkpoints: readonly Checkpoint[], findings: FindingSink, start?: Frontier) {
    this.#frontier = new FrontierBuilder(start);
    this.#ahead = [...checkpoints].sort((a, b) => a.size - b.size);
    this.#findings = findings;
    this.#compare();
  }

  /** Number of leaves so far. */
  get size(): number {
    return this.#frontier.size;
  }

  root(): Uint8Array {
    return this.#frontier.root();
  }

  /**
   * Appends a record's hash.
   *
   * @param onTile see `FrontierBuilder.append`
   */
  append(recordHash: Uint8Array, onTile?: (level: number, root: Uint8Array) => void): void {
    this.#frontier.append(leafHash(recordHash), onTile);
    this.#compare();
  }

  /**
   * Ends the check of a whole chain. Each checkpoint that was not reached is a finding.
   *
   * @param chainEnd one past the position of the last record
   * @param isOptional whether the chain may end before this checkpoint
   */
  finish(chainEnd: number, isOptional: (checkpoint: Checkpoint) => boolean = () => false): void {
    for (const checkpoint of this.#ahead) {
      if (chainEnd < checkpoint.size && isOptional(checkpoint)) continue;
      if (chainEnd < checkpoint.size) {
        this.#findings.add({
          code: 'HEAD_MISMATCH',
          sequence_number: chainEnd,
          expected: `${checkpoint.size} records`,
          found: `${chainEnd}`,
        });
      } else {
        this.#mismatch(checkpoint, `${this.size} records`);
      }
    }
    this.#ahead.length = 0;
  }

  /** Ends the check of a part of a chain. The store proves that each checkpoint ahead extends the tree of the part. */
  async finishPart(prove: ConsistencyProver): Promise<void> {
    for (const checkpoint of this.#ahead) {
      try {
        const proof = await prove(this.size, checkpoint.size);
        if (proof === undefined) throw new LogError('PROOF_INVALID', 'there is no proof');
        verifyConsistency(this.size, checkpoint.size, proof, this.root(), checkpoint.root);
      } catch (error) {
        if (!(error instanceof LogError)) throw error;
        this.#mismatch(checkpoint, error.message);
      }
    }
    this.#ahead.length = 0;
  }

  #compare(): void {
    while (this.#ahead[0]?.size === this.#frontier.size) {
      const checkpoint = this.#ahead.shift()!;
      const root = this.#frontier.root();
      if (!equalBytes(root, checkpoint.root)) this.#mismatch(checkpoint, toHex(root));
    }
  }

  #mismatch(checkpoint: Checkpoint, found: string): void {
    this.mismatched.add(checkpoint);
    this.#findings.add({
      code: 'CHECKPOINT_ROOT_MISMATCH',
      sequence_number: lastCovered(checkpoint),
      expected: toHex(checkpoint.root),
      found,
    });
  }
}
