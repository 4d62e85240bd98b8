/**
 * The kinds of the brackets that are open at some place of a JSON text, one bit each. An attacker decides how deep a text is
 * nested: eight million levels, which is a whole body of brackets, take one megabyte here.
 */
export class OpenBrackets {
  #bits = new Uint8Array(8);
  #depth = 0;

  get depth(): number {
    return this.#depth;
  }

  push(isBrace: boolean): void {
    const at = this.#depth >> 3;
    if (at === this.#bits.length) {
      const longer = new Uint8Array(2 * at);
      longer.set(this.#bits);
      this.#bits = longer;
    }
    const bit = 1 << (this.#depth & 7);
    if (isBrace) this.#bits[at]! |= bit;
    else this.#bits[at]! &= ~bit;
    this.#depth++;
  }

  /** @returns whether the innermost open bracket is a brace. The caller has checked that one is open */
  pop(): boolean {
    this.#depth--;
    return (this.#bits[this.#depth >> 3]! & (1 << (this.#depth & 7))) !== 0;
  }
}
