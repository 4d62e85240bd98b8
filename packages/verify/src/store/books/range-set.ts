import type { NumberRange } from './read-accounts.ts';

/** A set of whole numbers, kept as few separate ranges in ascending order. */
export class RangeSet {
  readonly #ranges: [first: number, last: number][] = [];

  get ranges(): readonly NumberRange[] {
    return this.#ranges;
  }

  /** Most numbers come in order and extend the last range, which takes constant time. */
  add([first, last]: NumberRange): void {
    const at = this.#firstTouching(first);
    let end = at;
    let [from, to] = [first, last];
    while (end < this.#ranges.length && this.#ranges[end]![0] <= last + 1) {
      from = Math.min(from, this.#ranges[end]![0]);
      to = Math.max(to, this.#ranges[end]![1]);
      end++;
    }
    if (end === at + 1) {
      this.#ranges[at]![0] = from;
      this.#ranges[at]![1] = to;
    } else {
      this.#ranges.splice(at, end - at, [from, to]);
    }
  }

  /** The numbers of these ranges that the set does not have. The ranges are ascending and separate. */
  missing(ranges: readonly NumberRange[]): NumberRange[] {
    const missing: NumberRange[] = [];
    for (const [first, last] of ranges) {
      let next = first;
      for (let at = this.#firstTouching(first); at < this.#ranges.length; at++) {
        const [from, to] = this.#ranges[at]!;
        if (from > last) break;
        if (from > next) missing.push([next, from - 1]);
        next = Math.max(next, to + 1);
      }
      if (next <= last) missing.push([next, last]);
    }
    return missing;
  }

  /** Index of the first range that ends at `first` - 1 or later. */
  #firstTouching(first: number): number {
    let [low, high] = [0, this.#ranges.length];
    const newest = this.#ranges.at(-1);
    if (newest !== undefined && newest[1] < first - 1) return this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]![1] < first - 1) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
