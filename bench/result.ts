/** One measured figure, as in `bench/results.json`. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The figure that `value` is compared with, measured in the same run. */
  readonly baseline: number | null;
  readonly ratio: number | null;
  /** The condition on `ratio`, or on `value` where there is no ratio. */
  readonly goal: string | null;
  readonly pass: boolean | null;
}

/** The middle value; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
