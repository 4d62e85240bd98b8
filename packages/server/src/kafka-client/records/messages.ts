import { IS_CONTROL, IS_TRANSACTIONAL } from '@platformatic/kafka';
import { KafkaError } from '../kafka-error.ts';
import { type Message, recordsOf } from './record.ts';
import { batchesOf, type RecordBatch } from './record-batch.ts';
import { type UnpackCode, UnpackError } from './unpack-error.ts';

/** A record batch, or the rest of one, whose messages can't be read. */
export interface UnreadableBatch {
  /** First offset that can't be read. */
  readonly offset: number;
  /** Last offset of the batch. */
  readonly last: number;
  readonly leaderEpoch: number;
  readonly code: UnpackCode;
  /** Why the batch can't be read, worded to continue a sentence that begins with "the record batch". */
  readonly reason: string;
  /** The batch as the broker stores it. */
  readonly bytes: Buffer;
}

/** Messages of a partition, from one offset up to another. */
export interface MessageRange {
  readonly messages: readonly (Message | UnreadableBatch)[];
  /** One past the last offset of the range. Control records and offsets that compaction has removed count too. */
  readonly next: number;
  /** Leader epoch of the last offset of the range; absent if the range is empty. */
  readonly leaderEpoch?: number;
}

/** A transaction that its producer has aborted. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** Memory that a message takes beside its bytes, about. */
const messageOverhead = 128;

/**
 * The messages of a fetch response from the offset `from` on, without those of aborted transactions. The broker names the
 * transactions that were aborted within its response; a control record marks the end of a transaction, and may come in a
 * later response.
 *
 * A compressed batch may unpack to many times its length. The range therefore ends once it has enough bytes, if necessary
 * in the middle of a batch, and the next fetch goes on from there.
 *
 * @param records record batches as the broker sent them
 * @param enough bytes of messages after which the range ends; it has one message at least, and exceeds `enough` by one
 *   message at most
 * @throws {KafkaError} `SOURCE_CORRUPT`, unless messages before the corrupt batch could be read
 */
export function readMessages(
  records: Buffer,
  aborted: readonly AbortedTransaction[],
  from: number,
  enough: number,
): MessageRange {
  const pending = [...aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  const abortedProducers = new Set<bigint>();
  const messages: (Message | UnreadableBatch)[] = [];
  let size = 0;
  let range: { readonly next: number; readonly leaderEpoch?: number } = { next: from };
  try {
    for (const batch of batchesOf(records)) {
      if (size >= enough) break;
      const { leaderEpoch } = batch;
      while (pending.length > 0 && Number(pending[0]!.firstOffset) <= batch.last) {
        abortedProducers.add(pending.shift()!.producerId);
      }
      if ((batch.attributes & IS_CONTROL) !== 0) {
        if (endsAborted(batch)) abortedProducers.delete(batch.producerId);
      } else if ((batch.attributes & IS_TRANSACTIONAL) === 0 || !abortedProducers.has(batch.producerId)) {
        const read = readBatch(batch, range.next, enough - size, messages);
        size += read.size;
        if (read.next <= batch.last) return { messages, next: read.next, leaderEpoch };
      }
      range = { next: Math.max(range.next, batch.last + 1), leaderEpoch };
    }
  } catch (error) {
    if (!(error instanceof KafkaError) || range.next === from) throw error;
  }
  return { messages, ...range };
}

/** Adds the messages of a batch from `from` on to `messages`; returns where it stopped and the bytes that it added. */
function readBatch(
  batch: RecordBatch,
  from: number,
  enough: number,
  messages: (Message | UnreadableBatch)[],
): { readonly next: number; readonly size: number } {
  let size = 0;
  let next = Math.max(from, batch.first);
  try {
    for (const record of recordsOf(batch, next, enough)) {
      // Checked before each record, not after it: offsets that compaction has removed after the last record belong to
      // this range, or the next fetch would ask for them again.
      if (size >= enough) return { next, size };
      messages.push(record);
      next = record.offset + 1;
      size += record.size + messageOverhead;
    }
  } catch (error) {
    if (!(error instanceof UnpackError)) throw error;
    const { code, message: reason } = error;
    const { last, leaderEpoch, bytes } = batch;
    messages.push({ offset: next, last, leaderEpoch, code, reason, bytes });
    size += bytes.length;
  }
  return { next: batch.last + 1, size };
}

/** The key of a control record has two 16-bit integers, version and type. Type 0 ends a transaction as aborted. */
function endsAborted(batch: RecordBatch): boolean {
  for (const { key } of recordsOf(batch, 0, batch.bytes.length)) {
    return key !== null && key.length >= 4 && key.readInt16BE(2) === 0;
  }
  return false;
}
