import { mergeRanges, type NumberRange } from '@tallystick/log';

/** Ranges that are added before they are merged, beside as many as there are merged ones. */
const unmerged = 32;

/**
 * A set of whole numbers, kept as few separate ranges. Numbers that arrive in order extend the newest range. Others are merged
 * together from time to time, so that the cost of a number does not grow with the number of ranges, whatever their order.
 */
export class RangeSet {
  #merged: [first: number, last: number][] = [];
  readonly #added: [first: number, last: number][] = [];

  /** Ascending and separate. */
  get ranges(): readonly NumberRange[] {
    this.#merge();
    return this.#merged;
  }

  /** Number of ranges in memory. */
  get size(): number {
    return this.#merged.length + this.#added.length;
  }

  add([first, last]: NumberRange): void {
    const newest = this.#added.at(-1) ?? this.#merged.at(-1);
    if (newest !== undefined && first >= newest[0] && first <= newest[1] + 1) {
      newest[1] = Math.max(newest[1], last);
      return;
    }
    this.#added.push([first, last]);
    if (this.#added.length > unmerged + this.#merged.length) this.#merge();
  }

  #merge(): void {
    if (this.#added.length === 0) return;
    this.#merged = mergeRanges([...this.#merged, ...this.#added]);
    this.#added.length = 0;
  }
}
