import type { Topic } from '../../kafka-client/brokers.ts';
import { type Database, writer } from '../../store/database.ts';

/** What is known of one partition that this replica reads. */
interface ReadPartition {
  readonly topic: Topic;
  readonly partition: number;
  readonly position: number | undefined;
  /** Moment of this process's monotonic clock at which all messages of the partition were stored; undefined if some are not. */
  readonly drainedAt: number | undefined;
}

export interface DrainedPositionsOptions {
  readonly database: Database;
  readonly partitions: () => Iterable<ReadPartition>;
  readonly intervalMs: number;
  readonly onProblem: (error: Error) => void;
}

/**
 * Stores for each partition when it was last read to its end. By that, any replica knows whether a message of a certain time can still
 * come. Only what is stored counts: a message that was fetched and not stored is not drained.
 */
export class DrainedPositions {
  readonly #options: DrainedPositionsOptions;
  readonly #timer: NodeJS.Timeout;
  #storing: Promise<void> | undefined;

  constructor(options: DrainedPositionsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#storing ??= this.#store()
        .catch((error: unknown) => options.onProblem(error as Error))
        .finally(() => {
          this.#storing = undefined;
        });
    }, options.intervalMs);
    this.#timer.unref();
  }

  /** Starts no further write, and waits for the running one. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#storing;
  }

  async #store(): Promise<void> {
    const now = performance.now();
    const rows = [...this.#options.partitions()].flatMap(({ topic, partition, position, drainedAt }) =>
      position === undefined
        ? []
        : [
            {
              cluster_id: topic.clusterId,
              topic_id: topic.id,
              partition,
              topic: topic.name,
              position,
              age: drainedAt === undefined ? null : Math.max(0, now - drainedAt) / 1_000,
            },
          ],
    );
    if (rows.length > 0) await this.#options.database.query(writer, storeSql, [JSON.stringify(rows)]);
  }
}

// The age is subtracted from the database's clock: the clocks of replicas may be wrong. Rows are locked in the order that all writers use.
// A partition without a row has position 0. If it had a greater one, its row would exist.
const storeSql = `
  insert into audit_source_positions as s (cluster_id, topic_id, partition, topic, next_offset, checked_at, drained_at)
  select k.cluster_id, k.topic_id, k.partition, k.topic, 0, clock_timestamp(), clock_timestamp() - make_interval(secs => k.age)
    from jsonb_to_recordset($1::jsonb)
      as k(cluster_id text, topic_id text, partition integer, topic text, position bigint, age float8)
   where k.position = 0
      or exists (select from audit_source_positions p
                  where (p.cluster_id, p.topic_id, p.partition) = (k.cluster_id, k.topic_id, k.partition))
   order by 1, 2, 3
  on conflict (cluster_id, topic_id, partition) do update
     set checked_at = excluded.checked_at, drained_at = greatest(s.drained_at, excluded.drained_at)`;
