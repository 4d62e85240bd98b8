import { Cursor } from './cursor.ts';
import { contentAt, type RecordBatch } from './record-batch.ts';
import { maxUnpackedBytes, unpack } from './unpack.ts';
import { unreadable } from './unpack-error.ts';

/** A record of the log: the message of a producer, or a control record. */
export interface Message {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Iterable<readonly [Buffer | null, Buffer | null]>;
  /** The leader epoch in which the record was appended. */
  readonly leaderEpoch: number;
}

/** A record and how many bytes of the unpacked batch it takes. */
interface SizedMessage extends Message {
  readonly size: number;
}

const codecMask = 0b111;

/**
 * The records of a batch, from an offset on. A producer controls the content and every length in it: this reads no more
 * than the batch contains, and holds no more in memory than the unpacked batch and one record.
 *
 * @param keeps bytes of content that the caller may keep in memory. If the batch is longer, records are copied out of it:
 *   a few of them would otherwise keep all of it
 * @param limit most bytes that the batch may unpack to
 * @throws {UnpackError} at the first record that can't be read, after those before it
 * @throws {KafkaError} `SOURCE_CORRUPT`, see {@link unpack}
 */
export function* recordsOf(
  batch: RecordBatch,
  from: number,
  keeps: number,
  limit: number = maxUnpackedBytes,
): Generator<SizedMessage> {
  const content = unpack(batch.attributes & codecMask, batch.bytes.subarray(contentAt), limit);
  const cursor = new Cursor(content);
  for (let index = 0; index < batch.count; index++) {
    const size = cursor.readVarInt();
    const start = cursor.at;
    const end = start + size;
    if (size < 0 || end > content.length) throw unreadable('a record ends outside of its batch');
    // Attributes, which are unused, and the timestamp.
    cursor.at += 1;
    cursor.skipVarLong();
    const offset = batch.first + cursor.readVarInt();
    if (offset < batch.first || offset > batch.last) throw unreadable('a record lies outside of its batch');
    if (offset >= from) {
      const view = content.subarray(start, end);
      const record = content.length > keeps ? Buffer.from(view) : view;
      yield { offset, size, leaderEpoch: batch.leaderEpoch, ...readFields(record, cursor.at - start) };
    }
    cursor.at = end;
  }
}

function readFields(record: Buffer, at: number): Pick<Message, 'key' | 'value' | 'headers'> {
  const cursor = new Cursor(record, at);
  const key = cursor.readBytes();
  const value = cursor.readBytes();
  return { key, value, headers: new LazyHeaders(record, cursor.at) };
}

/** Parses headers on iteration: a record may have millions of them, of which the reader uses only a few. */
class LazyHeaders implements Iterable<readonly [Buffer | null, Buffer | null]> {
  readonly #record: Buffer;
  readonly #at: number;

  constructor(record: Buffer, at: number) {
    this.#record = record;
    this.#at = at;
  }

  /** Ends before the first header that can't be read. Malformed headers never make a message unreadable. */
  *[Symbol.iterator](): Generator<readonly [Buffer | null, Buffer | null]> {
    const cursor = new Cursor(this.#record, this.#at);
    try {
      for (let left = cursor.readVarInt(); left > 0; left--) yield [cursor.readBytes(), cursor.readBytes()];
    } catch {
      return;
    }
  }
}
