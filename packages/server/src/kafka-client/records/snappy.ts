import { repeat } from './lz4.ts';
import { tooLarge, unreadable } from './unpack-error.ts';

/** The header that the Java library writes before its blocks: this name and two version numbers. */
const streamMagic = Buffer.from('\x82SNAPPY\0', 'latin1');
const streamHeaderLength = streamMagic.length + 4 + 4;

/**
 * Unpacks Snappy up to a size limit: either one block (google/snappy, format_description.txt), or the stream that Java
 * producers write, in which a length precedes each block. The decoder of `@platformatic/kafka` was rejected for the reasons
 * that `unpackLz4` gives.
 *
 * @param limit most bytes of unpacked content
 * @throws {UnpackError}
 */
export function unpackSnappy(packed: Buffer, limit: number): Buffer {
  const blocks = isStream(packed, 0) ? blocksOf(packed) : [packed];
  const lengths = blocks.map(readLength);
  const total = lengths.reduce((sum, { value }) => sum + value, 0);
  if (total > limit) throw tooLarge(limit);
  const content = Buffer.allocUnsafeSlow(total);
  let at = 0;
  for (const [index, block] of blocks.entries()) {
    const { value, next } = lengths[index]!;
    unpack(block, next, content, at, at + value);
    at += value;
  }
  return content;
}

function isStream(packed: Buffer, at: number): boolean {
  return packed.subarray(at, at + streamMagic.length).equals(streamMagic);
}

function blocksOf(packed: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  let at = 0;
  while (at < packed.length) {
    // The content may consist of several streams.
    if (isStream(packed, at)) {
      at += streamHeaderLength;
      continue;
    }
    if (at + 4 > packed.length) throw truncated();
    const length = packed.readUInt32BE(at);
    at += 4;
    if (at + length > packed.length) throw truncated();
    blocks.push(packed.subarray(at, at + length));
    at += length;
  }
  return blocks;
}

/** Reads the length of the unpacked content, with which a block begins: seven bits per byte, lowest first. */
function readLength(block: Buffer): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let next = 0; next < Math.min(5, block.length); next++) {
    value += (block[next]! & 0x7f) * 2 ** (7 * next);
    if (block[next]! < 0x80) return { value, next: next + 1 };
  }
  throw unreadable('a Snappy block has no length');
}

/** Unpacks a block to `content`, from `from` to exactly `end`. */
function unpack(block: Buffer, start: number, content: Buffer, from: number, end: number): void {
  let read = start;
  let at = from;
  while (read < block.length) {
    const tag = block[read++]!;
    const kind = tag & 3;
    let length = (tag >> 2) + 1;
    if (kind === 0) {
      if (length > 60) {
        const bytes = length - 60;
        if (read + bytes > block.length) throw truncated();
        length = 1;
        for (let n = 0; n < bytes; n++) length += block[read++]! * 2 ** (8 * n);
      }
      if (read + length > block.length) throw truncated();
      if (at + length > end) throw wrongLength();
      if (length < 32) {
        for (const to = at + length; at < to; ) content[at++] = block[read++]!;
      } else {
        block.copy(content, at, read, read + length);
        read += length;
        at += length;
      }
      continue;
    }
    const bytes = kind === 3 ? 4 : kind;
    if (read + bytes > block.length) throw truncated();
    let distance = block[read]!;
    if (kind === 1) {
      length = ((tag >> 2) & 7) + 4;
      distance |= (tag >> 5) << 8;
    } else {
      distance |= block[read + 1]! << 8;
      if (kind === 3) distance += block[read + 2]! * 2 ** 16 + block[read + 3]! * 2 ** 24;
    }
    read += bytes;
    if (distance === 0 || distance > at - from)
      throw unreadable('a Snappy copy refers to bytes before the content');
    if (at + length > end) throw wrongLength();
    at = repeat(content, at, distance, length);
  }
  if (at !== end) throw wrongLength();
}

const truncated = () => unreadable('a Snappy block is truncated');
const wrongLength = () => unreadable('the length of a Snappy block is wrong');
