import { repeat } from './lz4.ts';
import { tooLarge, unreadable } from './unpack-error.ts';

/** What the Java library writes before its blocks: a name, and two numbers of versions. */
const streamMagic = Buffer.from('\x82SNAPPY\0', 'latin1');
const streamHead = streamMagic.length + 4 + 4;

/**
 * Unpacks Snappy within a bound: one block (google/snappy, format_description.txt), or the stream of blocks, each after
 * its length, that Java's producers write. Of our own for the reasons that {@link unpackLz4} gives.
 *
 * @param limit most bytes of content
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
    // Streams may follow one another.
    if (isStream(packed, at)) {
      at += streamHead;
      continue;
    }
    if (at + 4 > packed.length) throw cutOff();
    const length = packed.readUInt32BE(at);
    at += 4;
    if (at + length > packed.length) throw cutOff();
    blocks.push(packed.subarray(at, at + length));
    at += length;
  }
  return blocks;
}

/** A block begins with the length of its content, seven bits a byte and the lowest first. */
function readLength(block: Buffer): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let next = 0; next < Math.min(5, block.length); next++) {
    value += (block[next]! & 0x7f) * 2 ** (7 * next);
    if (block[next]! < 0x80) return { value, next: next + 1 };
  }
  throw unreadable('a Snappy block has no length');
}

/** Fills `content` from `at` to `end`, and neither less nor more. */
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
        if (read + bytes > block.length) throw cutOff();
        length = 1;
        for (let n = 0; n < bytes; n++) length += block[read++]! * 2 ** (8 * n);
      }
      if (read + length > block.length) throw cutOff();
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
    if (read + bytes > block.length) throw cutOff();
    let distance = block[read]!;
    if (kind === 1) {
      length = ((tag >> 2) & 7) + 4;
      distance |= (tag >> 5) << 8;
    } else {
      distance |= block[read + 1]! << 8;
      if (kind === 3) distance += block[read + 2]! * 2 ** 16 + block[read + 3]! * 2 ** 24;
    }
    read += bytes;
    if (distance === 0 || distance > at - from) throw unreadable('a Snappy copy lies before the content');
    if (at + length > end) throw wrongLength();
    at = repeat(content, at, distance, length);
  }
  if (at !== end) throw wrongLength();
}

const cutOff = () => unreadable('a Snappy block is cut off');
const wrongLength = () => unreadable('a Snappy block is of another length than it says');
