/**
 * Counts how often each line of a file came before. Two equal lines are two events, and a second import of the file gives
 * the same two. A line is known by 64 bits of its hash. If two lines share them, their ordinals are still the same in every
 * import of the file. Takes 24 to 48 bytes per line, in one array, so that the garbage collector has no work with them.
 */
export class Ordinals {
  #capacity = 1 << 10;
  #used = 0;
  /** High word, low word and count of each slot; a count of 0 is an empty slot. Open addressing, linear probing. */
  #slots = new Uint32Array(this.#capacity * 3);

  /**
   * @param digest at least 8 bytes of the line's hash
   * @returns how many equal lines came before
   */
  next(digest: Buffer): number {
    if (this.#used * 2 >= this.#capacity) this.#grow();
    const at = this.#find(this.#slots, this.#capacity, digest.readUInt32BE(0), digest.readUInt32BE(4));
    const before = this.#slots[at + 2]!;
    if (before === 0) {
      this.#slots[at] = digest.readUInt32BE(0);
      this.#slots[at + 1] = digest.readUInt32BE(4);
      this.#used++;
    }
    this.#slots[at + 2] = before + 1;
    return before;
  }

  #find(slots: Uint32Array, capacity: number, high: number, low: number): number {
    for (let slot = low & (capacity - 1); ; slot = (slot + 1) & (capacity - 1)) {
      const at = slot * 3;
      if (slots[at + 2] === 0 || (slots[at] === high && slots[at + 1] === low)) return at;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#capacity *= 2;
    this.#slots = new Uint32Array(this.#capacity * 3);
    for (let from = 0; from < old.length; from += 3) {
      if (old[from + 2] === 0) continue;
      const at = this.#find(this.#slots, this.#capacity, old[from]!, old[from + 1]!);
      this.#slots.set(old.subarray(from, from + 3), at);
    }
  }
}
