import { crc32c } from '@platformatic/kafka';
import { KafkaError } from '../kafka-error.ts';

/**
 * A record batch as the broker stores it, in Kafka's format 2 ("Record Batch" in the protocol guide). Only its header is
 * parsed; `recordsOf` unpacks its content.
 */
export interface RecordBatch {
  readonly first: number;
  /** Last offset, even if compaction has removed its record. */
  readonly last: number;
  /** The leader epoch in which the batch was appended: brokers number the leaders of a partition. */
  readonly leaderEpoch: number;
  readonly attributes: number;
  readonly producerId: bigint;
  readonly count: number;
  /** Header and content. */
  readonly bytes: Buffer;
}

// Positions of the header's fields: base offset (8), length (4), leader epoch (4), magic (1), CRC (4), attributes (2), last
// offset delta (4), two timestamps (8 each), producer id (8), producer epoch (2), base sequence (4), record count (4).
const lengthAt = 8;
const leaderEpochAt = lengthAt + 4;
const magicAt = leaderEpochAt + 4;
const crcAt = magicAt + 1;
const attributesAt = crcAt + 4;
const lastDeltaAt = attributesAt + 2;
const producerIdAt = lastDeltaAt + 4 + 8 + 8;
const countAt = producerIdAt + 8 + 2 + 4;
/** Where the content begins. */
export const contentAt = countAt + 4;

/**
 * The record batches of a fetch response. The CRC-32C of each, which covers everything from its attributes on, is checked
 * when the batch is read: the broker sends what it finds on its disk. If the response had no room for the whole last
 * batch, that batch is left out; the next fetch returns it.
 *
 * @throws {KafkaError} `SOURCE_CORRUPT`
 */
export function* batchesOf(records: Buffer): Generator<RecordBatch> {
  for (let start = 0; start + leaderEpochAt <= records.length; ) {
    const end = start + leaderEpochAt + records.readInt32BE(start + lengthAt);
    if (end > records.length) return;
    const first = records.readBigInt64BE(start);
    if (end < start + contentAt || records[start + magicAt] !== 2) {
      throw new KafkaError('SOURCE_CORRUPT', `the data at offset ${first} is not a record batch of format 2`);
    }
    const bytes = records.subarray(start, end);
    if (crc32c(bytes.subarray(attributesAt)) !== bytes.readUInt32BE(crcAt)) {
      throw new KafkaError('SOURCE_CORRUPT', `the record batch at ${first} does not match its checksum`);
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
