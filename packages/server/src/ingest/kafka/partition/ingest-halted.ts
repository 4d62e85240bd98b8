import type { SourcePosition } from '../../../chain/source-position.ts';
import type { TopicPartition } from '../../../kafka-client/brokers.ts';
import type { EpochEnd } from '../../../kafka-client/fetch/partition-reader.ts';
import { describeError } from '../../../kafka-client/kafka-error.ts';
import type { IngestStop } from '../status.ts';

/** Reading a partition has ended for a reason that a retry does not remove. */
export class IngestHalted extends Error {
  override readonly name = 'IngestHalted';
  readonly stop: IngestStop;
  /** Start of the broker's log, if reading it again from there is safe; undefined if it is not. */
  readonly restart: number | undefined;

  constructor(stop: IngestStop, options: ErrorOptions & { readonly restart?: number } = {}) {
    super(stop.message, options);
    this.stop = stop;
    this.restart = options.restart;
  }
}

/**
 * @param reached offset up to which messages had been stored
 * @param stored offset at which the store stands now
 */
export function storeWentBack(partition: TopicPartition, reached: number, stored: number): IngestHalted {
  return new IngestHalted({
    code: 'SOURCE_AHEAD_OF_STORE',
    message:
      `${nameOf(partition)} had been stored up to ${reached}, and the store stands at ${stored}: ` +
      'it was restored from an older backup, or is another store',
  });
}

/**
 * @param start offset of the first message of the log
 * @param end offset that the next message of the log will get
 */
export function logEndsEarly(
  partition: TopicPartition,
  { next }: SourcePosition,
  start: number,
  end: number,
): IngestHalted {
  const message =
    `${nameOf(partition)} ends at ${end}, and the store stands at ${next}: ` +
    'the topic was truncated, or the cluster restored from an older backup';
  return new IngestHalted({ code: 'SOURCE_BEHIND_STORE', message }, { restart: start });
}

/** @param known where the log ends in the position's leader epoch, or in the last epoch before it that the log has */
export function logDiverged(
  partition: TopicPartition,
  { next, leaderEpoch }: SourcePosition,
  start: number,
  known: EpochEnd | undefined,
): IngestHalted {
  const found =
    known === undefined
      ? `has no leader epoch up to ${leaderEpoch}`
      : `ends at ${known.end} in leader epoch ${known.leaderEpoch}`;
  const message =
    `${nameOf(partition)} ${found}, and the store stands at ${next} in leader epoch ${leaderEpoch}: ` +
    'the topic was truncated, or the cluster restored from an older backup, and has grown again';
  return new IngestHalted({ code: 'SOURCE_DIVERGED', message }, { restart: start });
}

export function logCorrupt(partition: TopicPartition, cause: unknown, offset: number): IngestHalted {
  const message = `${nameOf(partition)} can't be read at ${offset}: ${describeError(cause)}`;
  return new IngestHalted({ code: 'SOURCE_CORRUPT', message }, { cause });
}

const nameOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;
