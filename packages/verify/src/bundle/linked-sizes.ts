/** Sizes of checkpoints that verified consistency proofs connect. */
export class LinkedSizes {
  readonly #neighbours = new Map<number, number[]>();

  /** Adds a verified proof between two sizes. */
  add(from: number, to: number): void {
    this.#neighbours.set(from, [...(this.#neighbours.get(from) ?? []), to]);
    this.#neighbours.set(to, [...(this.#neighbours.get(to) ?? []), from]);
  }

  /** Whether proofs lead from one size to the other. A size is always linked to itself. */
  areLinked(from: number, to: number): boolean {
    const reached = new Set([from]);
    for (const size of reached) {
      if (size === to) return true;
      for (const next of this.#neighbours.get(size) ?? []) reached.add(next);
    }
    return false;
  }
}
