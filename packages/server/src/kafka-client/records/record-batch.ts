import { crc32c } from '@platformatic/kafka';
import { SourceError } from '../../ingest/kafka/source-error.ts';
import { unpack } from './unpack.ts';
import { unreadable } from './unpack-error.ts';

/**
 * A record batch as it lies in the log, Kafka's format 2 (the protocol guide's "Record Batch"). Reading it costs nothing;
 * its content is unpacked by {@link recordsOf}.
 */
export interface RecordBatch {
  readonly first: number;
  /** Last offset, also where compaction has taken the message. */
  readonly last: number;
  /** In which term it was appended: the brokers count the leaders of a partition. */
  readonly leaderEpoch: number;
  readonly attributes: number;
  readonly producerId: bigint;
  readonly count: number;
  /** All of it, as it lies on the broker. */
  readonly bytes: Buffer;
}

/** Base offset and length. */
const headLength = 8 + 4;
const leaderEpochAt = headLength;
const magicAt = leaderEpochAt + 4;
const crcAt = magicAt + 1;
const attributesAt = crcAt + 4;
const lastDeltaAt = attributesAt + 2;
const producerIdAt = lastDeltaAt + 4 + 8 + 8;
const countAt = producerIdAt + 8 + 2 + 4;
const contentAt = countAt + 4;

/**
 * The batches of a fetch. Each is checked against its CRC-32C, which covers everything from its attributes on, when its
 * turn comes: the broker sends from its disk what it finds there. The last may be cut off where the answer had no more
 * room; it is left out, and the next fetch has it whole.
 *
 * @throws {SourceError} `SOURCE_CORRUPT`
 */
export function* batchesOf(records: Buffer): Generator<RecordBatch> {
  for (let start = 0; start + headLength <= records.length; ) {
    const end = start + headLength + records.readInt32BE(start + 8);
    if (end > records.length) return;
    const first = records.readBigInt64BE(start);
    if (end < start + contentAt || records[start + magicAt] !== 2) {
      throw new SourceError('SOURCE_CORRUPT', `what stands at ${first} is not a record batch of format 2`);
    }
    const bytes = records.subarray(start, end);
    if (crc32c(bytes.subarray(attributesAt)) !== bytes.readUInt32BE(crcAt)) {
      throw new SourceError('SOURCE_CORRUPT', `the record batch at ${first} does not match its checksum`);
    }
    yield {
      first: Number(first),
      last: Number(first) + bytes.readInt32BE(lastDeltaAt),
      leaderEpoch: bytes.readInt32BE(leaderEpochAt),
      attributes: bytes.readInt16BE(attributesAt),
      producerId: bytes.readBigInt64BE(producerIdAt),
      count: bytes.readInt32BE(countAt),
      bytes,
    };
    start = end;
  }
}

/** A message as it stands in the log. */
export interface Message {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Iterable<readonly [Buffer | null, Buffer | null]>;
  /** In which term it was appended: the brokers count the leaders of a partition. */
  readonly leaderEpoch: number;
}

/** A record of a batch, and how many bytes of the batch's content it is. */
export interface PackedRecord extends Message {
  readonly size: number;
}

const codecMask = 0b111;

/**
 * The records of a batch from an offset on. Content and lengths are the producer's: whatever they say, no more is read
 * than there is, and no more held than the batch's content and one record.
 *
 * @param keeps records are copied out of the content where it is longer, or a few of them would hold all of it
 * @throws {UnpackError} also in mid-batch; `SourceError` `SOURCE_CORRUPT`, see {@link unpack}
 */
export function* recordsOf(batch: RecordBatch, from: number, keeps: number): Generator<PackedRecord> {
  const content = unpack(batch.attributes & codecMask, batch.bytes.subarray(contentAt));
  const cursor = new Cursor(content);
  for (let index = 0; index < batch.count; index++) {
    const size = cursor.readVarInt();
    const start = cursor.at;
    const end = start + size;
    if (size < 0 || end > content.length) throw unreadable('a record ends outside of its batch');
    cursor.at += 1;
    cursor.skipVarLong();
    const offset = batch.first + cursor.readVarInt();
    if (offset < batch.first || offset > batch.last) throw unreadable('a record lies outside of its batch');
    if (offset >= from) {
      const isCopied = content.length > keeps;
      const own = isCopied ? Buffer.from(content.subarray(start, end)) : content.subarray(start, end);
      yield { offset, size, leaderEpoch: batch.leaderEpoch, ...readRecord(own, cursor.at - start) };
    }
    cursor.at = end;
  }
}

function readRecord(record: Buffer, at: number): Pick<Message, 'key' | 'value' | 'headers'> {
  const cursor = new Cursor(record, at);
  const key = cursor.readBytes();
  const value = cursor.readBytes();
  return { key, value, headers: new UnreadHeaders(record, cursor.at) };
}

/** Headers are read when they are asked for: there may be millions in one record, and hardly any that means something. */
class UnreadHeaders implements Iterable<readonly [Buffer | null, Buffer | null]> {
  readonly #record: Buffer;
  readonly #at: number;

  constructor(record: Buffer, at: number) {
    this.#record = record;
    this.#at = at;
  }

  /** Ends before what can't be read: what travels beside an event never refuses it. */
  *[Symbol.iterator](): Generator<readonly [Buffer | null, Buffer | null]> {
    const cursor = new Cursor(this.#record, this.#at);
    try {
      for (let left = cursor.readVarInt(); left > 0; left--) yield [cursor.readBytes(), cursor.readBytes()];
    } catch {
      return;
    }
  }
}

/** Reads Kafka's numbers of variable length: zigzag, seven bits a byte and the lowest first. */
class Cursor {
  readonly #bytes: Buffer;
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

  /** Bytes after their length, of which -1 is null. */
  readBytes(): Buffer | null {
    const length = this.readVarInt();
    if (length < 0) return null;
    const start = this.at;
    if (start + length > this.#bytes.length) throw unreadable('a record ends within its content');
    this.at += length;
    return this.#bytes.subarray(start, this.at);
  }
}
