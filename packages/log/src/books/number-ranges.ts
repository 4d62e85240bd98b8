/** A range of whole numbers, both ends included. */
export type NumberRange = readonly [first: number, last: number];

/** The same numbers in as few ranges as possible, ascending. */
export function mergeRanges(ranges: readonly NumberRange[]): [first: number, last: number][] {
  const merged: [first: number, last: number][] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/**
 * The numbers of some ranges that others do not have.
 *
 * @param ranges ascending and separate, as {@link mergeRanges} returns them
 * @param others likewise
 */
export function subtractRanges(
  ranges: readonly NumberRange[],
  others: readonly NumberRange[],
): [first: number, last: number][] {
  const left: [first: number, last: number][] = [];
  let at = 0;
  for (const [first, last] of ranges) {
    let next = first;
    while (at < others.length && others[at]![1] < next) at++;
    for (let other = at; other < others.length && others[other]![0] <= last; other++) {
      const [from, to] = others[other]!;
      if (from > next) left.push([next, from - 1]);
      next = Math.max(next, to + 1);
    }
    if (next <= last) left.push([next, last]);
  }
  return left;
}
