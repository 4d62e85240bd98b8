import { ServerError } from '../errors.ts';
import { type Database, type Statement, writer } from '../store/database.ts';

/**
 * Sources that can be read again, which are partitions of Kafka topics: the names of their messages in records, and how
 * far each source is stored. The position is part of the batch's transaction, so every message is applied exactly once.
 */

/** The source of a record that came as a message: `kafka:<cluster>/<topic>/<partition>/<offset>`. */
export function messageSource(place: {
  readonly clusterId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}): string {
  return `kafka:${place.clusterId}/${place.topic}/${place.partition}/${place.offset}`;
}

// Names of topics and ids of clusters contain no slash (Kafka allows [A-Za-z0-9._-]).
const messagePattern = /^(kafka:[^/]+\/[^/]+)\/\d+\/\d+$/;

/** Whether a source names one message, so that the same source again means the same message again. */
export function isMessageSource(source: string): boolean {
  return messagePattern.test(source);
}

/** The source without partition and offset if it names a message; any other source unchanged. */
export function topicOfSource(source: string): string {
  return messagePattern.exec(source)?.[1] ?? source;
}

/** Where a message was. */
export interface MessagePlace {
  readonly clusterId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** The place that a source names; `undefined` for a source that is not a message. */
export function placeOfMessage(source: string): MessagePlace | undefined {
  if (!isMessageSource(source)) return undefined;
  const [cluster, topic, partition, offset] = source.split('/') as [string, string, string, string];
  const clusterId = cluster.slice(cluster.indexOf(':') + 1);
  return { clusterId, topic, partition: Number(partition), offset: Number(offset) };
}

/** The range of a source that a batch covers. The source can be read again, such as a partition of a topic. */
export interface SourceRange {
  readonly clusterId: string;
  /** The topic's id, not its name: a topic that was deleted and created again starts at offset 0 again. */
  readonly topicId: string;
  readonly topic: string;
  readonly partition: number;
  /** Offset of the batch's first message. Must not be greater than the offset that the store has reached. */
  readonly from: number;
  /** One past the offset of the batch's last message. */
  readonly next: number;
  /** Leader epoch of the last message before `next`, if known. */
  readonly leaderEpoch?: number | undefined;
  /** Offset of each item, ascending. */
  readonly offsets: readonly number[];
}

/** A partition of all topics with this name: a topic that was deleted and created again has a new id. */
interface NamedPartition {
  readonly clusterId: string;
  readonly topic: string;
  readonly partition: number;
}

/** How far a source is stored. */
export interface SourcePosition {
  /** Offset of the first message that is not stored. */
  readonly next: number;
  /** Leader epoch of the last message before `next`, if known. */
  readonly leaderEpoch: number | undefined;
}

/**
 * Reads the positions of all sources with this name.
 *
 * @returns positions by the topic's id
 */
export async function readPositions(
  database: Database,
  { clusterId, topic, partition }: NamedPartition,
): Promise<ReadonlyMap<string, SourcePosition>> {
  const rows = await database.query<{ topic_id: string; next: number; leader_epoch: number | null }>(
    writer,
    `select topic_id, next_offset as next, case when leader_epoch_at = next_offset then leader_epoch end as leader_epoch
       from audit_source_positions
      where cluster_id = $1 and topic = $2 and partition = $3`,
    [clusterId, topic, partition],
  );
  return new Map(
    rows.map(({ topic_id, next, leader_epoch }) => [
      topic_id,
      { next, leaderEpoch: leader_epoch ?? undefined },
    ]),
  );
}

/**
 * Sets the position of a source back, because the source no longer holds the messages that were read. The old position is
 * lost.
 */
export async function rewindPosition(
  database: Database,
  { clusterId, topicId, partition }: Pick<SourceRange, 'clusterId' | 'topicId' | 'partition'>,
  next: number,
): Promise<void> {
  await database.query(
    writer,
    `update audit_source_positions set next_offset = $4, leader_epoch = null, updated_at = clock_timestamp()
      where cluster_id = $1 and topic_id = $2 and partition = $3 and next_offset > $4`,
    [clusterId, topicId, partition, next],
  );
}

/** Locks the positions of these ranges' sources, in the order of their keys, which all replicas use. */
export function lockPositions(ranges: readonly SourceRange[]): Statement<PositionRow> {
  return { name: 'tally_lock_positions', text: lockSql, values: keysOf(ranges) };
}

/** Creates the rows of sources of which nothing is stored yet, with position 0. */
export function insertPositions(ranges: readonly SourceRange[]): Statement {
  return { text: insertSql, values: [...keysOf(ranges), ranges.map(({ topic }) => topic)] };
}

/**
 * Compares ranges with the stored positions. Messages before the position have been applied and are skipped. A range that
 * starts after the position would leave a hole: it is refused, and the consumer seeks back.
 *
 * @param rows of {@link lockPositions}
 * @returns for each range the offset of the first message that has not been applied
 * @throws {ServerError} `SOURCE_POSITION_AHEAD`, with the stored position in `details.next`
 */
export function firstUnapplied(
  ranges: readonly SourceRange[],
  rows: readonly PositionRow[],
): ReadonlyMap<SourceRange, number> {
  const stored = new Map(rows.map((row) => [row.key, row.next_offset]));
  return new Map(
    ranges.map((range) => {
      const next = stored.get(`${range.clusterId}/${range.topicId}/${range.partition}`)!;
      if (range.from > next) throw positionAhead(range, next);
      return [range, next];
    }),
  );
}

/** Moves the positions to the end of these ranges. Part of the transaction that stores the ranges. */
export function advancePositions(ranges: readonly SourceRange[]): Statement[] {
  if (ranges.length === 0) return [];
  const epochs = ranges.map(({ leaderEpoch }) => leaderEpoch ?? null);
  const values = [...keysOf(ranges), ranges.map(({ next }) => next), epochs];
  return [{ name: 'tally_advance_positions', text: advanceSql, values }];
}

export interface PositionRow {
  readonly key: string;
  readonly next_offset: number;
}

function keysOf(ranges: readonly SourceRange[]): [string[], string[], number[]] {
  return [
    ranges.map(({ clusterId }) => clusterId),
    ranges.map(({ topicId }) => topicId),
    ranges.map(({ partition }) => partition),
  ];
}

const lockSql = `
  select p.cluster_id || '/' || p.topic_id || '/' || p.partition as key, p.next_offset
    from audit_source_positions p
    join unnest($1::text[], $2::text[], $3::integer[]) as k (cluster_id, topic_id, partition)
      using (cluster_id, topic_id, partition)
   order by p.cluster_id, p.topic_id, p.partition
     for update of p`;

const insertSql = `
  insert into audit_source_positions (cluster_id, topic_id, partition, topic, next_offset)
  select k.cluster_id, k.topic_id, k.partition, k.topic, 0
    from unnest($1::text[], $2::text[], $3::integer[], $4::text[]) as k (cluster_id, topic_id, partition, topic)
   order by 1, 2, 3 on conflict do nothing`;

const advanceSql = `
  update audit_source_positions p
     set next_offset = k.next, leader_epoch = k.leader_epoch, leader_epoch_at = k.next, updated_at = clock_timestamp()
    from unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::integer[])
           as k (cluster_id, topic_id, partition, next, leader_epoch)
   where (p.cluster_id, p.topic_id, p.partition) = (k.cluster_id, k.topic_id, k.partition)
     and p.next_offset < k.next`;

function positionAhead({ topic, partition, from }: SourceRange, next: number): ServerError {
  return new ServerError(
    'SOURCE_POSITION_AHEAD',
    `the batch starts at offset ${from}, but the next offset of ${topic}/${partition} in the store is ${next}`,
    { details: { topic, partition, from, next } },
  );
}
