import { type Database, writer } from '../../../store/database.ts';
import { partitionOf } from '../../../store/partitions.ts';

class RollBack extends Error {}

/** How long an answer is reused, ms. Many probes per second then cost one write per second. */
const freshMs = 1_000;
const answers = new WeakMap<Database, { readonly at: number; readonly answer: Promise<boolean> }>();

/**
 * Whether the store accepts writes now. The check inserts one row and rolls back, so a full disk, a standby, a missing
 * permission or a missing partition shows here before an event meets it. A rolled-back insert leaves a dead row for vacuum to
 * remove. The row therefore goes into a small table, and not into the trail, which otherwise never needs vacuum.
 */
export function canWrite(database: Database): Promise<boolean> {
  const known = answers.get(database);
  if (known !== undefined && performance.now() - known.at < freshMs) return known.answer;
  const answer = tryToWrite(database);
  answers.set(database, { at: performance.now(), answer });
  return answer;
}

async function tryToWrite(database: Database): Promise<boolean> {
  try {
    return await database.transaction(writer, async (session) => {
      const [partition] = await session.query<{ present: boolean }>(
        `select to_regclass('public.' || $1) is not null as present`,
        [partitionOf(Date.now())],
      );
      if (partition?.present !== true) return false;
      await session.query(
        `insert into audit_source_positions (cluster_id, topic_id, partition, topic, next_offset)
         values ('', 'readiness', 0, 'readiness', 0) on conflict do nothing`,
        [],
      );
      throw new RollBack();
    });
  } catch (error) {
    return error instanceof RollBack;
  }
}
