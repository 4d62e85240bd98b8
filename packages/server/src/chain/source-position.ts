import { ServerError } from '../errors.ts';
import { type Database, type Statement, writer } from '../store/database.ts';
import type { SourceRange } from './batch.ts';

/** A partition of a topic, whatever the topic's id: one that was made anew is another source, under the same name. */
interface NamedPartition {
  readonly clusterId: string;
  readonly topic: string;
  readonly partition: number;
}

/** How far a source is stored. */
export interface SourcePosition {
  readonly next: number;
  /** In which term of its leaders the partition got what stands before `next`; undefined where that is not known. */
  readonly leaderEpoch: number | undefined;
}

/**
 * Where every source of this name stands.
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

/** Sets a source back, for one that holds other messages now than those that were read; what it was is known to nobody then. */
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

/** Locks the positions of these ranges' sources, in an order that all replicas keep. */
export function lockPositions(ranges: readonly SourceRange[]): Statement<PositionRow> {
  return { name: 'tally_lock_positions', text: lockSql, values: keysOf(ranges) };
}

/** Makes rows for sources that nothing has been read of: they stand at 0. */
export function insertPositions(ranges: readonly SourceRange[]): Statement {
  return { text: insertSql, values: [...keysOf(ranges), ranges.map(({ topic }) => topic)] };
}

/**
 * Where each range's source stands. A range that starts beyond it would leave a hole, so it is refused and the consumer
 * seeks back; messages before it have been applied, and are skipped.
 *
 * @param rows of {@link lockPositions}
 * @returns for each range the offset of the first message that has not been applied
 * @throws {ServerError} `SOURCE_POSITION_AHEAD`, with the stored position in `details.next`
 */
export function standings(
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

/** Part of the transaction that stores the ranges. */
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
    `the batch starts at ${from}, the store stands at ${next}`,
    { details: { topic, partition, from, next } },
  );
}
