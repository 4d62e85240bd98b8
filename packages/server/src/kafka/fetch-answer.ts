import { createAPI, fetchV13, type Reader } from '@platformatic/kafka';
import type { Aborted } from './records.ts';
import { SourceError } from './source-error.ts';

/** What a broker answers to the fetch of one partition. */
export interface FetchAnswer {
  /** 0 where there is none; of the whole answer, or of the partition. */
  readonly errorCode: number;
  /** Where the log ends for a reader of committed messages. */
  readonly lastStableOffset: number;
  readonly aborted: readonly Aborted[];
  /**
   * Where the log ends in the term that the fetch named as that of the message before it, and where that is not as the fetch
   * has it: what it has read is not what the broker has.
   */
  readonly diverged: boolean;
  /** Record batches as they lie in the log. */
  readonly records: Buffer;
}

/**
 * The library's fetch, with an answer whose record batches are left as they are: the library would unpack them all at
 * once, without a bound and without a look at their checksums. Layout: Kafka's protocol guide, Fetch response 13.
 */
export const fetchPartition = createAPI<fetchV13.FetchRequest, FetchAnswer>(
  fetchV13.api.key,
  fetchV13.api.version,
  fetchV13.createRequest,
  (_correlationId, _apiKey, _apiVersion, reader) => {
    try {
      return readAnswer(reader);
    } catch (error) {
      if (error instanceof SourceError) throw error;
      throw new SourceError('SOURCE_CORRUPT', 'what the broker sent can not be read', { cause: error });
    }
  },
);

const nothing = { lastStableOffset: 0, diverged: false, aborted: [], records: Buffer.alloc(0) };

function readAnswer(reader: Reader): FetchAnswer {
  reader.skip(4);
  const errorCode = reader.readInt16();
  reader.skip(4);
  if (errorCode !== 0) return { ...nothing, errorCode };
  const topics = reader.readUnsignedVarInt() - 1;
  if (topics < 1) throw new SourceError('FETCH_EMPTY', 'the broker left the topic out');
  reader.skip(16);
  const partitions = reader.readUnsignedVarInt() - 1;
  if (partitions < 1) throw new SourceError('FETCH_EMPTY', 'the broker left the partition out');
  reader.skip(4);
  const partitionError = reader.readInt16();
  reader.skip(8);
  const lastStableOffset = Number(reader.readInt64());
  reader.skip(8);
  const aborted =
    reader.readNullableArray(
      (each): Aborted => ({
        producerId: each.readInt64(),
        firstOffset: each.readInt64(),
      }),
    ) ?? [];
  reader.skip(4);
  const records = reader.readNullableBytes() ?? nothing.records;
  let diverged = false;
  for (let fields = reader.readUnsignedVarInt(); fields > 0; fields--) {
    if (reader.readUnsignedVarInt() === divergingEpoch) diverged = true;
    reader.skip(reader.readUnsignedVarInt());
  }
  return { errorCode: partitionError, lastStableOffset, aborted, diverged, records };
}

/** A tagged field of a partition. */
const divergingEpoch = 0;
