import { ServerError } from '../errors.ts';
import type { Session } from '../store/database.ts';
import type { SourceRange } from './batch.ts';

/**
 * Locks the position of a source and says where it stands. A batch that starts beyond it would leave a hole, so it is
 * refused and the consumer seeks back; messages before it have been applied, and are skipped.
 *
 * @returns offset of the first message that has not been applied
 * @throws {ServerError} `SOURCE_POSITION_AHEAD`, with the stored position in `details.next`
 */
export async function lockPosition(session: Session, range: SourceRange): Promise<number> {
  const key = [range.clusterId, range.topicId, range.partition];
  await session.query(
    `insert into audit_source_positions (cluster_id, topic_id, partition, topic, next_offset)
     values ($1, $2, $3, $4, 0) on conflict do nothing`,
    [...key, range.topic],
  );
  const [row] = await session.query<{ next_offset: number }>(
    `select next_offset from audit_source_positions
      where cluster_id = $1 and topic_id = $2 and partition = $3 for update`,
    key,
  );
  const next = row!.next_offset;
  if (range.from > next) {
    throw new ServerError(
      'SOURCE_POSITION_AHEAD',
      `the batch starts at ${range.from}, the store stands at ${next}`,
      {
        details: { topic: range.topic, partition: range.partition, from: range.from, next },
      },
    );
  }
  return next;
}

export async function advancePosition(session: Session, range: SourceRange): Promise<void> {
  await session.query(
    `update audit_source_positions set next_offset = greatest(next_offset, $4), updated_at = clock_timestamp()
      where cluster_id = $1 and topic_id = $2 and partition = $3`,
    [range.clusterId, range.topicId, range.partition, range.next],
  );
}
