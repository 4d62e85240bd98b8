import { tooLarge, unreadable } from './unpack-error.ts';

const magic = 0x184d2204;
/** Bits of the first descriptor byte of a frame. */
const hasBlockChecksums = 0x10;
const hasContentSize = 0x08;
const hasContentChecksum = 0x04;
const hasDictionary = 0x01;
/** The bit of a block's length that says that the block is not compressed. */
const storedBit = 0x8000_0000;
/** A compressed byte unpacks to 255 bytes at most. */
const maxExpansion = 255;

interface Block {
  readonly from: number;
  readonly to: number;
  readonly stored: boolean;
}

/**
 * Unpacks an LZ4 frame (LZ4 Frame Format 1.6, one frame, as Kafka's producers write it) up to a size limit.
 *
 * The decoder of `@platformatic/kafka` was rejected because every client that may write to the topic controls this input:
 * that decoder has no size limit, and each input that it refuses leaks memory. The checksums within the frame are not
 * verified, because the checksum of the record batch covers the frame.
 *
 * @param limit most bytes of unpacked content
 * @throws {UnpackError}
 */
export function unpackLz4(frame: Buffer, limit: number): Buffer {
  const { blocks, most } = readFrame(frame);
  const content = Buffer.allocUnsafeSlow(Math.min(most, limit));
  let length = 0;
  for (const block of blocks) {
    const end = block.stored ? copy(frame, block, content, length) : unpack(frame, block, content, length);
    if (end === undefined) throw most > limit ? tooLarge(limit) : unreadable('an LZ4 block is too long');
    length = end;
  }
  return content.subarray(0, length);
}

/** Finds the blocks of a frame, and the most bytes that they can unpack to together. */
function readFrame(frame: Buffer): { readonly blocks: readonly Block[]; readonly most: number } {
  if (frame.length < 7 || frame.readUInt32LE(0) !== magic)
    throw unreadable('its content is not an LZ4 frame');
  const flags = frame[4]!;
  if (flags >> 6 !== 1) throw unreadable('the LZ4 frame has an unknown version');
  if ((flags & hasDictionary) !== 0) throw unreadable('the LZ4 frame needs a dictionary');
  const size = (frame[5]! >> 4) & 7;
  if (size < 4) throw unreadable('the LZ4 frame has no valid block size');
  const maxBlockSize = 2 ** (8 + 2 * size);
  const checksumLength = (flags & hasBlockChecksums) === 0 ? 0 : 4;
  const blocks: Block[] = [];
  let most = 0;
  let at = 4 + 2 + ((flags & hasContentSize) === 0 ? 0 : 8) + 1;
  for (;;) {
    if (at + 4 > frame.length) throw unreadable('the LZ4 frame is truncated');
    const word = frame.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const stored = word >= storedBit;
    const length = stored ? word - storedBit : word;
    if (at + length + checksumLength > frame.length) throw unreadable('the LZ4 frame is truncated');
    blocks.push({ from: at, to: at + length, stored });
    most += Math.min(maxBlockSize, stored ? length : length * maxExpansion);
    at += length + checksumLength;
  }
  if (at + ((flags & hasContentChecksum) === 0 ? 0 : 4) !== frame.length) {
    throw unreadable('there are bytes after the LZ4 frame');
  }
  return { blocks, most };
}

/** @returns where the content of the block ends; undefined if it does not fit */
function copy(frame: Buffer, { from, to }: Block, content: Buffer, at: number): number | undefined {
  if (at + to - from > content.length) return undefined;
  frame.copy(content, at, from, to);
  return at + to - from;
}

/**
 * Unpacks a block. It consists of sequences: literals, then a match, which repeats content that was written before and may
 * overlap what it writes. The last sequence has only literals.
 *
 * @returns where the content of the block ends; undefined if it does not fit
 */
function unpack(frame: Buffer, { from, to }: Block, content: Buffer, start: number): number | undefined {
  let read = from;
  let at = start;
  while (read < to) {
    const token = frame[read++]!;
    let literals = token >> 4;
    if (literals === 15) {
      for (let more = 255; more === 255; ) {
        if (read >= to) throw truncated();
        more = frame[read++]!;
        literals += more;
      }
    }
    if (read + literals > to) throw truncated();
    if (at + literals > content.length) return undefined;
    if (literals < 32) {
      for (const end = at + literals; at < end; ) content[at++] = frame[read++]!;
    } else {
      frame.copy(content, at, read, read + literals);
      read += literals;
      at += literals;
    }
    if (read === to) break;
    if (read + 2 > to) throw truncated();
    const distance = frame[read]! | (frame[read + 1]! << 8);
    read += 2;
    let match = token & 15;
    if (match === 15) {
      for (let more = 255; more === 255; ) {
        if (read >= to) throw truncated();
        more = frame[read++]!;
        match += more;
      }
    }
    match += 4;
    if (distance === 0 || distance > at) throw unreadable('an LZ4 match refers to bytes before the content');
    if (at + match > content.length) return undefined;
    at = repeat(content, at, distance, match);
  }
  return at;
}

/** Repeats the content that begins `distance` bytes back. A distance of 1 repeats one byte. */
export function repeat(content: Buffer, at: number, distance: number, length: number): number {
  const end = at + length;
  if (distance === 1) {
    content.fill(content[at - 1]!, at, end);
  } else if (distance >= length && length >= 64) {
    content.copyWithin(at, at - distance, end - distance);
  } else {
    for (let to = at; to < end; to++) content[to] = content[to - distance]!;
  }
  return end;
}

const truncated = () => unreadable('an LZ4 block is truncated');
