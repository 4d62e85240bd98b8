import { type Checkpoint, equalBytes, FrontierBuilder, leafHash, toHex } from '@tallystick/log';
import { lastCovered } from './checkpoints.ts';
import type { Findings } from './report.ts';

/** Rebuilds a log's tree from its records' hashes and holds it against checkpoints as it passes their sizes. */
export class TreeCheck {
  readonly #frontier = new FrontierBuilder();
  /** Ascending by size; those not yet reached. */
  readonly #ahead: Checkpoint[];
  readonly #findings: Findings;

  /** @param checkpoints those that are trusted */
  constructor(checkpoints: readonly Checkpoint[], findings: Findings) {
    this.#ahead = [...checkpoints].sort((a, b) => a.size - b.size);
    this.#findings = findings;
    this.#compare();
  }

  /** Leaves so far. */
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
   * Says of each checkpoint that was not reached why not.
   *
   * @param chainEnd one past the position of the last record
   */
  finish(chainEnd: number): void {
    for (const checkpoint of this.#ahead) {
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

  #compare(): void {
    while (this.#ahead[0]?.size === this.#frontier.size) {
      const checkpoint = this.#ahead.shift()!;
      const root = this.#frontier.root();
      if (!equalBytes(root, checkpoint.root)) this.#mismatch(checkpoint, toHex(root));
    }
  }

  #mismatch(checkpoint: Checkpoint, found: string): void {
    this.#findings.add({
      code: 'CHECKPOINT_ROOT_MISMATCH',
      sequence_number: lastCovered(checkpoint),
      expected: toHex(checkpoint.root),
      found,
    });
  }
}
