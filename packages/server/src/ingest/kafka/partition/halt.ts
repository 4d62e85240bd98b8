import type { SourcePosition } from '../../../chain/source-position.ts';
import type { IngestStop, TopicPartition } from '../options.ts';
import { describe } from '../source-error.ts';
import type { EpochEnd } from './partition-reader.ts';

/** Ends a round of reading a partition; what comes next depends on why. */
export class Halt extends Error {
  readonly stop: IngestStop;
  /** Where the log starts, for one that is not what was read: it may be read again from there. */
  readonly restart: number | undefined;

  constructor(stop: IngestStop, options: ErrorOptions & { readonly restart?: number } = {}) {
    super(stop.message, options);
    this.stop = stop;
    this.restart = options.restart;
  }
}

export function wentBack(where: TopicPartition, reached: number, stored: number): Halt {
  return new Halt({
    code: 'SOURCE_AHEAD_OF_STORE',
    message:
      `${nameOf(where)} had been stored up to ${reached}, and the store stands at ${stored}: ` +
      'it was restored from an older backup, or is another store',
  });
}

export function behind(where: TopicPartition, { next }: SourcePosition, start: number, end: number): Halt {
  const message =
    `${nameOf(where)} ends at ${end}, and the store stands at ${next}: ` +
    'the topic was truncated, or the cluster restored from an older backup';
  return new Halt({ code: 'SOURCE_BEHIND_STORE', message }, { restart: start });
}

/** @param known where the log ends in the position's epoch, or in the last before it */
export function diverged(
  where: TopicPartition,
  { next, leaderEpoch }: SourcePosition,
  start: number,
  known: EpochEnd | undefined,
): Halt {
  const ends =
    known === undefined
      ? 'knows no such epoch'
      : `ends at ${known.end} in its leaders' epoch ${known.leaderEpoch}`;
  const message =
    `${nameOf(where)} ${ends}, and the store stands at ${next} in epoch ${leaderEpoch}: ` +
    'the topic was truncated, or the cluster restored from an older backup, and has grown again';
  return new Halt({ code: 'SOURCE_DIVERGED', message }, { restart: start });
}

export function corrupt(where: TopicPartition, cause: unknown, at: number): Halt {
  const message = `${nameOf(where)} can't be read at ${at}: ${describe(cause)}`;
  return new Halt({ code: 'SOURCE_CORRUPT', message }, { cause });
}

const nameOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;
