import { readPositions, rewindPosition, type SourcePosition } from '../../../chain/source-position.ts';
import type { Topic } from '../../../kafka-client/brokers.ts';
import type { Database } from '../../../store/database.ts';
import { storeWentBack } from './ingest-halted.ts';

export interface StoredPositionOptions {
  readonly database: Database;
  readonly topic: Topic;
  readonly partition: number;
  /** Goes on although the store stands behind what the group has committed to Kafka. */
  readonly acceptRestored: boolean;
  /** The offset that the group has committed to Kafka; undefined if it has committed none. */
  readonly committedOffset: () => Promise<number | undefined>;
  /** Commits an offset to Kafka. */
  readonly commitOffset: (next: number) => Promise<void>;
}

/** How far a partition is stored: the store's own position, and this process' copy of it. */
export class StoredPosition {
  readonly #options: StoredPositionOptions;
  #next: number | undefined;

  constructor(options: StoredPositionOptions) {
    this.#options = options;
  }

  /** Offset of the first message that is not stored; undefined before the first {@link read}, and during a reset. */
  get next(): number | undefined {
    return this.#next;
  }

  /** Called after a transaction has stored the messages up to `next`. */
  advance(next: number): void {
    this.#next = Math.max(this.#next ?? 0, next);
  }

  /**
   * Reads the position from the store; it is 0 if nothing is stored.
   *
   * The offset that the group has committed to Kafka is only compared with it. It is committed after the store's position,
   * so it is ahead of it only if the store has gone back. It is read first: otherwise another member's progress between
   * the two reads would look the same.
   *
   * @throws {IngestHalted} `SOURCE_AHEAD_OF_STORE`
   */
  async read(): Promise<SourcePosition> {
    const { database, topic, partition, acceptRestored } = this.#options;
    const committed = await this.#options.committedOffset();
    const positions = await readPositions(database, {
      clusterId: topic.clusterId,
      topic: topic.name,
      partition,
    });
    const stored = positions.get(topic.id) ?? { next: 0, leaderEpoch: undefined };
    // The committed offset may be that of an earlier topic of this name, which the store has reached.
    const reached = Math.max(0, ...[...positions.values()].map(({ next }) => next));
    if (committed !== undefined && committed > reached && !acceptRestored) {
      throw storeWentBack({ topic: topic.name, partition }, committed, stored.next);
    }
    this.#next = stored.next;
    return stored;
  }

  /**
   * Sets the position back to the start of a log that is not the one that was read. Messages that are stored already are
   * recognised by their ids.
   *
   * Kafka's offset is set first. A crash between the two steps leaves the store ahead of it, which is harmless. The other
   * way round, it would leave the store behind, and look like a store that was restored from a backup.
   */
  async reset(start: number): Promise<void> {
    const { database, topic, partition, commitOffset } = this.#options;
    // Without a position, no periodic commit overwrites Kafka's offset with the old position.
    this.#next = undefined;
    await commitOffset(start);
    await rewindPosition(database, { clusterId: topic.clusterId, topicId: topic.id, partition }, start);
    this.#next = start;
  }
}
