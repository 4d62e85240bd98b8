import type { BatchItem, ProducerStatement } from '../../../chain/batch.ts';
import type { SourceRange } from '../../../chain/source-position.ts';
import type { Topic } from '../../../kafka-client/brokers.ts';
import type { PreparedMessage } from '../message/prepare-message.ts';

/** A range of a partition, ready to be stored. The ranges of a partition follow one another without a hole. */
export interface PreparedRange {
  readonly from: number;
  readonly next: number;
  readonly messages: readonly PreparedMessage[];
  /** Leader epoch of the record before `next`; undefined if it is not known. */
  readonly leaderEpoch: number | undefined;
  /** The broker deleted these messages before they were read. */
  readonly lost: boolean;
}

/** Bytes of all messages of a range. */
export function sizeOf({ messages }: PreparedRange): number {
  let bytes = 0;
  for (const { size } of messages) bytes += size;
  return bytes;
}

/** What the chain appends for a range: its items, what producers declare beside them, and the range's place. */
export function toBatch(
  { from, next, leaderEpoch, messages }: PreparedRange,
  topic: Topic,
  partition: number,
): {
  readonly items: readonly BatchItem[];
  readonly statements: readonly ProducerStatement[];
  readonly range: SourceRange;
} {
  const items: BatchItem[] = [];
  const offsets: number[] = [];
  for (const message of messages) {
    for (const item of message.items) {
      items.push(item);
      offsets.push(message.offset);
    }
  }
  return {
    items,
    statements: mergeStatements(messages),
    range: {
      clusterId: topic.clusterId,
      topicId: topic.id,
      topic: topic.name,
      partition,
      from,
      next,
      leaderEpoch,
      offsets,
    },
  };
}

/** A producer names its service with every event. The account of the producer needs it once per batch. */
function mergeStatements(messages: readonly PreparedMessage[]): ProducerStatement[] {
  const statements: ProducerStatement[] = [];
  const introduced = new Set<string>();
  for (const { statement, offset } of messages) {
    if (statement === undefined) continue;
    if (statement.gaps.length === 0 && statement.final.length === 0) {
      const producer = `${statement.submitter}\n${statement.producerId}\n${statement.service}\n${statement.ephemeral}`;
      if (introduced.has(producer)) continue;
      introduced.add(producer);
    }
    statements.push({ ...statement, offset });
  }
  return statements;
}
