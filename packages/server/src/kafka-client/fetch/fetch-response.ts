import { createAPI, fetchV13, type Reader } from '@platformatic/kafka';
import { partitionKey } from '../brokers.ts';
import { KafkaError } from '../kafka-error.ts';
import type { AbortedTransaction } from '../records/messages.ts';

/** The part of a fetch response that is about one partition. */
export interface PartitionResponse {
  /** 0 for no error. */
  readonly errorCode: number;
  /** End of the log for a reader of committed messages. */
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** The broker's log does not contain the record before the fetched offset in the leader epoch that the fetch named. */
  readonly diverged: boolean;
  /** Record batches as the broker stores them; a view of the buffer that holds the whole response. */
  readonly records: Buffer;
}

export interface FetchResponse {
  /** 0 for no error. With an error, there are no partitions. */
  readonly errorCode: number;
  /** By {@link partitionKey}. */
  readonly partitions: ReadonlyMap<string, PartitionResponse>;
}

/**
 * The library's fetch request with a response parser of our own, which leaves the record batches packed. The library's
 * parser unpacks all of them at once, without a size limit, and does not check their checksums. Layout: Kafka's protocol
 * guide, Fetch response 13.
 */
export const fetchPartitions = createAPI<fetchV13.FetchRequest, FetchResponse>(
  fetchV13.api.key,
  fetchV13.api.version,
  fetchV13.createRequest,
  (_correlationId, _apiKey, _apiVersion, reader) => {
    try {
      return readResponse(reader);
    } catch (error) {
      throw new KafkaError('SOURCE_CORRUPT', "the broker's response can't be parsed", { cause: error });
    }
  },
);

function readResponse(reader: Reader): FetchResponse {
  reader.skip(4);
  const errorCode = reader.readInt16();
  reader.skip(4);
  const partitions = new Map<string, PartitionResponse>();
  if (errorCode !== 0) return { errorCode, partitions };
  for (let topics = reader.readUnsignedVarInt() - 1; topics > 0; topics--) {
    const topicId = reader.readUUID();
    for (let count = reader.readUnsignedVarInt() - 1; count > 0; count--) {
      partitions.set(partitionKey(topicId, reader.readInt32()), readPartition(reader));
    }
    skipTaggedFields(reader);
  }
  return { errorCode, partitions };
}

function readPartition(reader: Reader): PartitionResponse {
  const errorCode = reader.readInt16();
  reader.skip(8);
  const lastStableOffset = Number(reader.readInt64());
  reader.skip(8);
  const aborted =
    reader.readNullableArray(
      (each): AbortedTransaction => ({
        producerId: each.readInt64(),
        firstOffset: each.readInt64(),
      }),
    ) ?? [];
  reader.skip(4);
  const records = reader.readNullableBytes() ?? noRecords;
  const diverged = skipTaggedFields(reader).includes(divergingEpochTag);
  return { errorCode, lastStableOffset, aborted, diverged, records };
}

const noRecords = Buffer.alloc(0);

/** Tag of the field that a broker adds if the logs diverge. */
const divergingEpochTag = 0;

/** @returns the tags of the fields */
function skipTaggedFields(reader: Reader): number[] {
  const tags: number[] = [];
  for (let fields = reader.readUnsignedVarInt(); fields > 0; fields--) {
    tags.push(reader.readUnsignedVarInt());
    reader.skip(reader.readUnsignedVarInt());
  }
  return tags;
}
