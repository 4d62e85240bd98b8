/** One measured figure, as `bench/results.json` lists them. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same measure of what it is held against, in the same run. */
  readonly baseline: number | null;
  readonly ratio: number | null;
  /** What the project wants of `ratio` where there is one, else of `value`. */
  readonly goal: string | null;
  readonly pass: boolean | null;
}

/** The middle of an odd number of measurements, the mean of the middle two of an even one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
