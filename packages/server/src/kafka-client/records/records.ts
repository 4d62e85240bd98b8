import { IS_CONTROL, IS_TRANSACTIONAL } from '@platformatic/kafka';
import { SourceError } from '../../ingest/kafka/source-error.ts';
import { batchesOf, type Message, type RecordBatch, recordsOf } from './record-batch.ts';
import { type UnpackCode, UnpackError } from './unpack-error.ts';

/** A record batch, or the rest of one, of which nobody can tell what messages it holds. */
export interface ClosedBatch {
  readonly offset: number;
  /** Last offset of the batch. */
  readonly last: number;
  readonly leaderEpoch: number;
  readonly code: UnpackCode;
  /** What is wrong with it, as the end of a sentence about it. */
  readonly why: string;
  /** The batch as it lies in the log. */
  readonly bytes: Buffer;
}

export interface ReadRange {
  readonly messages: readonly (Message | ClosedBatch)[];
  /** One past the last offset of the range, whatever stood there: control records and compacted holes count too. */
  readonly next: number;
  /** In which term the last offset of the range was appended; absent where there is none. */
  readonly leaderEpoch?: number;
}

export interface Aborted {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** What a message costs in memory beyond its bytes. */
const messageCost = 128;

/**
 * The messages of a fetch from `from` on, without those of aborted transactions: such a producer has taken back what it
 * wrote. The broker names the transactions that were aborted within what it sends; a transaction's end is a control
 * record, and may lie beyond it.
 *
 * What is compressed may be of any length: the range ends where there is enough, and the next fetch goes on there, if
 * need be in the midst of a batch.
 *
 * @param records record batches as the broker sent them
 * @param enough bytes of messages, of which the range has at least one, and at most one too many
 * @throws {SourceError} `SOURCE_CORRUPT`, where nothing stands before it that can be read
 */
export function readMessages(
  records: Buffer,
  aborted: readonly Aborted[],
  from: number,
  enough: number,
): ReadRange {
  const pending = [...aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  const producers = new Set<bigint>();
  const messages: (Message | ClosedBatch)[] = [];
  let size = 0;
  let range: { readonly next: number; readonly leaderEpoch?: number } = { next: from };
  try {
    for (const batch of batchesOf(records)) {
      if (size >= enough) break;
      const { leaderEpoch } = batch;
      while (pending.length > 0 && Number(pending[0]!.firstOffset) <= batch.last) {
        producers.add(pending.shift()!.producerId);
      }
      if ((batch.attributes & IS_CONTROL) !== 0) {
        if (isAbort(batch)) producers.delete(batch.producerId);
      } else if ((batch.attributes & IS_TRANSACTIONAL) === 0 || !producers.has(batch.producerId)) {
        const read = readBatch(batch, range.next, enough - size, messages);
        size += read.size;
        if (read.next <= batch.last) return { messages, next: read.next, leaderEpoch };
      }
      range = { next: Math.max(range.next, batch.last + 1), leaderEpoch };
    }
  } catch (error) {
    if (!(error instanceof SourceError) || range.next === from) throw error;
  }
  return { messages, ...range };
}

/** Adds a batch's messages from `from` on, and says where it ended and how many bytes they have. */
function readBatch(
  batch: RecordBatch,
  from: number,
  enough: number,
  messages: (Message | ClosedBatch)[],
): { readonly next: number; readonly size: number } {
  let size = 0;
  let next = Math.max(from, batch.first);
  try {
    for (const record of recordsOf(batch, next, enough)) {
      // Behind the last record of a compacted batch there may be a hole, which the next fetch would ask for again.
      if (size >= enough) return { next, size };
      messages.push(record);
      next = record.offset + 1;
      size += record.size + messageCost;
    }
  } catch (error) {
    if (!(error instanceof UnpackError)) throw error;
    const { code, message: why } = error;
    const { last, leaderEpoch, bytes } = batch;
    messages.push({ offset: next, last, leaderEpoch, code, why, bytes });
    size += bytes.length;
  }
  return { next: batch.last + 1, size };
}

/** A control record's key is its version and its type, of 16 bits each; 0 ends a transaction as aborted. */
function isAbort(batch: RecordBatch): boolean {
  for (const { key } of recordsOf(batch, 0, batch.bytes.length)) {
    return key !== null && key.length >= 4 && key.readInt16BE(2) === 0;
  }
  return false;
}
