import { createAPI, fetchV13, type Reader } from '@platformatic/kafka';
import { SourceError } from '../../ingest/kafka/source-error.ts';
import type { Aborted } from '../records/records.ts';

/** What a broker answers of one partition. */
export interface FetchAnswer {
  /** 0 where there is none. */
  readonly errorCode: number;
  /** Where the log ends for a reader of committed messages. */
  readonly lastStableOffset: number;
  readonly aborted: readonly Aborted[];
  /**
   * Where the log ends in the term that the fetch named as that of the message before it, and where that is not as the fetch
   * has it: what it has read is not what the broker has.
   */
  readonly diverged: boolean;
  /** Record batches as they lie in the log; a view of the whole answer. */
  readonly records: Buffer;
}

/** What a broker answers to a fetch. */
export interface FetchAnswers {
  /** Of the whole answer, which names no partition then; 0 where there is none. */
  readonly errorCode: number;
  /** By {@link partitionKey}. */
  readonly partitions: ReadonlyMap<string, FetchAnswer>;
}

export const partitionKey = (topicId: string, partition: number): string => `${topicId}/${partition}`;

/**
 * The library's fetch, with an answer whose record batches are left as they are: the library would unpack them all at
 * once, without a bound and without a look at their checksums. Layout: Kafka's protocol guide, Fetch response 13.
 */
export const fetchPartitions = createAPI<fetchV13.FetchRequest, FetchAnswers>(
  fetchV13.api.key,
  fetchV13.api.version,
  fetchV13.createRequest,
  (_correlationId, _apiKey, _apiVersion, reader) => {
    try {
      return readAnswers(reader);
    } catch (error) {
      throw new SourceError('SOURCE_CORRUPT', 'what the broker sent can not be read', { cause: error });
    }
  },
);

function readAnswers(reader: Reader): FetchAnswers {
  reader.skip(4);
  const errorCode = reader.readInt16();
  reader.skip(4);
  const partitions = new Map<string, FetchAnswer>();
  if (errorCode !== 0) return { errorCode, partitions };
  for (let topics = reader.readUnsignedVarInt() - 1; topics > 0; topics--) {
    const topicId = reader.readUUID();
    for (let count = reader.readUnsignedVarInt() - 1; count > 0; count--) {
      partitions.set(partitionKey(topicId, reader.readInt32()), readAnswer(reader));
    }
    skipTaggedFields(reader);
  }
  return { errorCode, partitions };
}

function readAnswer(reader: Reader): FetchAnswer {
  const errorCode = reader.readInt16();
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
  const records = reader.readNullableBytes() ?? noRecords;
  const diverged = skipTaggedFields(reader).includes(divergingEpoch);
  return { errorCode, lastStableOffset, aborted, diverged, records };
}

const noRecords = Buffer.alloc(0);

/** A tagged field of a partition. */
const divergingEpoch = 0;

/** @returns the tags that were there */
function skipTaggedFields(reader: Reader): number[] {
  const tags: number[] = [];
  for (let fields = reader.readUnsignedVarInt(); fields > 0; fields--) {
    tags.push(reader.readUnsignedVarInt());
    reader.skip(reader.readUnsignedVarInt());
  }
  return tags;
}
