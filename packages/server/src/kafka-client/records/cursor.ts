import { unreadable } from './unpack-error.ts';

/** Reads Kafka's variable-length integers (zigzag, seven bits per byte, lowest first) and the fields that they measure. */
export class Cursor {
  readonly #bytes: Buffer;
  /** Next byte to read. The caller may move it. */
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  readVarInt(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw unreadable('a record ends within a number');
  }

  skipVarLong(): void {
    for (let length = 1; length <= 10; length++) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) break;
      if (byte < 0x80) return;
    }
    throw unreadable('a record ends within a number');
  }

  /** Reads a length and that many bytes. The length -1 means null. */
  readBytes(): Buffer | null {
    const length = this.readVarInt();
    if (length < 0) return null;
    const start = this.at;
    if (start + length > this.#bytes.length) throw unreadable('a record ends within its content');
    this.at += length;
    return this.#bytes.subarray(start, this.at);
  }
}
