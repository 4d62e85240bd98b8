const mark = [0xef, 0xbb, 0xbf];

/** Skips the UTF-8 byte-order mark at the start of a text that comes in chunks. */
export class ByteOrderMark {
  /** How many bytes of the mark were seen; undefined after the start of the text. */
  #seen: number | undefined = 0;

  skip(chunk: Uint8Array): Uint8Array {
    if (this.#seen === undefined) return chunk;
    for (let at = 0; at < chunk.length; at++) {
      if (chunk[at] !== mark[this.#seen]) {
        // The bytes before were the begin of a mark, and are a part of the text after all.
        const before = Uint8Array.from(mark.slice(0, this.#seen));
        this.#seen = undefined;
        const rest = chunk.subarray(at);
        return before.length === 0 ? rest : Buffer.concat([before, rest]);
      }
      if (++this.#seen === mark.length) {
        this.#seen = undefined;
        return chunk.subarray(at + 1);
      }
    }
    return new Uint8Array();
  }
}
