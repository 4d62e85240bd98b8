import { tooLarge, unreadable } from './unpack-error.ts';

const magic = 0x184d2204;
/** Bits of a frame's first descriptor byte. */
const hasBlockChecksums = 0x10;
const hasContentSize = 0x08;
const hasContentChecksum = 0x04;
const hasDictionary = 0x01;
/** Of a block's length: its bytes are stored as they are. */
const isStored = 0x8000_0000;
/** A byte of a block stands for at most 255 of its content. */
const mostForByte = 255;

interface Block {
  readonly from: number;
  readonly to: number;
  readonly stored: boolean;
}

/**
 * Unpacks an LZ4 frame (LZ4 Frame Format 1.6, one frame, as Kafka's producers write it) within a bound.
 *
 * Of our own because the input is anybody's who may write to the topic: the decoder of the Kafka client takes no bound,
 * and each input that it refuses costs it memory for good. Checksums within the frame are not looked at: the record batch
 * has one over all of it.
 *
 * @param limit most bytes of content
 * @throws {UnpackError}
 */
export function unpackLz4(frame: Buffer, limit: number): Buffer {
  const { blocks, most } = readFrame(frame);
  const content = Buffer.allocUnsafeSlow(Math.min(most, limit));
  let length = 0;
  for (const block of blocks) {
    const fit = block.stored ? store(frame, block, content, length) : unpack(frame, block, content, length);
    if (fit === undefined) throw most > limit ? tooLarge(limit) : unreadable('an LZ4 block is too long');
    length = fit;
  }
  return content.subarray(0, length);
}

/** Where the blocks are, and the most that they can hold together. */
function readFrame(frame: Buffer): { readonly blocks: readonly Block[]; readonly most: number } {
  if (frame.length < 7 || frame.readUInt32LE(0) !== magic) throw unreadable('is not an LZ4 frame');
  const flags = frame[4]!;
  if (flags >> 6 !== 1) throw unreadable('is an LZ4 frame of another version');
  if ((flags & hasDictionary) !== 0) throw unreadable('is an LZ4 frame with a dictionary');
  const size = (frame[5]! >> 4) & 7;
  if (size < 4) throw unreadable('is an LZ4 frame of no block size');
  const mostOfBlock = 2 ** (8 + 2 * size);
  const checksum = (flags & hasBlockChecksums) === 0 ? 0 : 4;
  const blocks: Block[] = [];
  let most = 0;
  let at = 4 + 2 + ((flags & hasContentSize) === 0 ? 0 : 8) + 1;
  for (;;) {
    if (at + 4 > frame.length) throw unreadable('is an LZ4 frame that is cut off');
    const word = frame.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const stored = word >= isStored;
    const length = stored ? word - isStored : word;
    if (at + length + checksum > frame.length) throw unreadable('is an LZ4 frame that is cut off');
    blocks.push({ from: at, to: at + length, stored });
    most += Math.min(mostOfBlock, stored ? length : length * mostForByte);
    at += length + checksum;
  }
  if (at + ((flags & hasContentChecksum) === 0 ? 0 : 4) !== frame.length) {
    throw unreadable('is an LZ4 frame with something behind it');
  }
  return { blocks, most };
}

/** @returns where the content goes on, as from {@link unpack} */
function store(frame: Buffer, { from, to }: Block, content: Buffer, at: number): number | undefined {
  if (at + to - from > content.length) return undefined;
  frame.copy(content, at, from, to);
  return at + to - from;
}

/**
 * Unpacks a block: sequences of literals and of a match, which repeats content that is there already and may overlap what
 * it writes. The last sequence has literals alone.
 *
 * @returns where the content goes on; `undefined` where it does not fit
 */
function unpack(frame: Buffer, { from, to }: Block, content: Buffer, start: number): number | undefined {
  let read = from;
  let at = start;
  while (read < to) {
    const token = frame[read++]!;
    let literals = token >> 4;
    if (literals === 15) {
      for (let more = 255; more === 255; ) {
        if (read >= to) throw cutOff();
        more = frame[read++]!;
        literals += more;
      }
    }
    if (read + literals > to) throw cutOff();
    if (at + literals > content.length) return undefined;
    if (literals < 32) {
      for (const end = at + literals; at < end; ) content[at++] = frame[read++]!;
    } else {
      frame.copy(content, at, read, read + literals);
      read += literals;
      at += literals;
    }
    if (read === to) break;
    if (read + 2 > to) throw cutOff();
    const distance = frame[read]! | (frame[read + 1]! << 8);
    read += 2;
    let match = token & 15;
    if (match === 15) {
      for (let more = 255; more === 255; ) {
        if (read >= to) throw cutOff();
        more = frame[read++]!;
        match += more;
      }
    }
    match += 4;
    if (distance === 0 || distance > at) throw unreadable('an LZ4 match lies before the content');
    if (at + match > content.length) return undefined;
    at = repeat(content, at, distance, match);
  }
  return at;
}

/** Writes again what stands `distance` bytes back; a run of one byte repeats it. */
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

const cutOff = () => unreadable('an LZ4 block is cut off');
