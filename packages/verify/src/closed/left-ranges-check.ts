import {
  type Checkpoint,
  equalBytes,
  FrontierBuilder,
  type LeftRange,
  leafHash,
  toHex,
} from '@tallystick/log';
import { lastCovered } from '../checkpoints.ts';
import type { FindingSink } from '../report.ts';

/**
 * Compares the records of a closed epoch, in the order of their positions, with the ranges that were left when the epoch was
 * closed: each range is complete and has the root that was stated then. The records from position 0 on are compared with
 * checkpoints too, as far as the first range reaches.
 */
export class LeftRangesCheck {
  readonly #ranges: readonly LeftRange[];
  readonly #checkpoints: readonly Checkpoint[];
  readonly #findings: FindingSink;
  /** Index of the range that the next record belongs to. */
  #at = 0;
  #next: number;
  #isWhole = true;
  #tree = new FrontierBuilder();

  constructor(ranges: readonly LeftRange[], checkpoints: readonly Checkpoint[], findings: FindingSink) {
    this.#ranges = ranges;
    this.#checkpoints = checkpoints;
    this.#findings = findings;
    this.#next = ranges[0]?.first ?? 0;
  }

  /** @returns whether a record at this position was left when the epoch was closed */
  take(position: number, recordHash: Uint8Array): boolean {
    while (this.#range !== undefined && position > this.#next) this.#skipTo(position);
    if (this.#range === undefined || position !== this.#next) {
      const place = position < 0 ? null : position;
      this.#findings.add({ code: 'STRAY_ROW', sequence_number: place, found: `record ${position}` });
      return false;
    }
    this.#tree.append(leafHash(recordHash));
    this.#next++;
    this.#compareCheckpoints();
    this.#closeIfComplete();
    return true;
  }

  /** Ends the check: each range that was not reached is missing. */
  finish(): void {
    while (this.#range !== undefined) this.#skipTo(Number.POSITIVE_INFINITY);
  }

  get #range(): LeftRange | undefined {
    return this.#ranges[this.#at];
  }

  /** Records before `position` are missing, or the whole rest of the range. */
  #skipTo(position: number): void {
    const { last } = this.#range!;
    const end = Math.min(position - 1, last);
    this.#findings.add({
      code: 'SEQUENCE_GAP',
      sequence_number: this.#next,
      expected: `records ${this.#next} to ${end}`,
      found: 'none of them',
    });
    this.#isWhole = false;
    this.#next = end + 1;
    this.#closeIfComplete();
  }

  #closeIfComplete(): void {
    const range = this.#range!;
    if (this.#next <= range.last) return;
    if (this.#isWhole && !equalBytes(this.#tree.root(), range.root)) {
      this.#findings.add({
        code: 'CLOSED_RECORDS_CHANGED',
        sequence_number: range.first,
        found: `another root of records ${range.first} to ${range.last}`,
      });
    }
    this.#at++;
    this.#tree = new FrontierBuilder();
    this.#isWhole = true;
    this.#next = this.#range?.first ?? this.#next;
  }

  #compareCheckpoints(): void {
    if (this.#at > 0 || !this.#isWhole || this.#range!.first > 0) return;
    for (const checkpoint of this.#checkpoints) {
      if (checkpoint.size !== this.#tree.size || equalBytes(checkpoint.root, this.#tree.root())) continue;
      this.#findings.add({
        code: 'CHECKPOINT_ROOT_MISMATCH',
        sequence_number: lastCovered(checkpoint),
        expected: toHex(checkpoint.root),
        found: toHex(this.#tree.root()),
      });
    }
  }
}
