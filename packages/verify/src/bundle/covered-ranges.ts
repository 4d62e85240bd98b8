import type { SequenceRange } from '../report.ts';

/** Ranges beyond this number are not listed. A part may have a gap after each record. */
const maxRanges = 1_000;

/** Collects the positions of a part's records as ranges, in bounded memory. */
export class CoveredRanges {
  readonly #ranges: [number, number][] = [];
  #last: [number, number] | undefined;
  #count = 0;

  /** Adds a position. Positions ascend; one that does not is ignored. */
  add(position: number): void {
    if (this.#last !== undefined && position <= this.#last[1]) return;
    this.#count++;
    if (this.#last !== undefined && position === this.#last[1] + 1) {
      this.#last[1] = position;
      return;
    }
    this.#last = [position, position];
    // One more than is listed: the gap before it is listed too.
    if (this.#ranges.length <= maxRanges) this.#ranges.push(this.#last);
  }

  /** @param size number of records of the checkpoint that covers the part */
  report(size: number): {
    readonly covered: readonly SequenceRange[];
    readonly missing: readonly SequenceRange[];
    readonly missing_records: number;
  } {
    const missing: SequenceRange[] = [];
    let next = 0;
    for (const [first, last] of this.#ranges) {
      if (first > next) missing.push([next, first - 1]);
      next = last + 1;
    }
    if (this.#ranges.length <= maxRanges && next < size) missing.push([next, size - 1]);
    return {
      covered: this.#ranges.slice(0, maxRanges),
      missing: missing.slice(0, maxRanges),
      missing_records: size - this.#count,
    };
  }
}
