import type { SourcePosition } from '../../../chain/source-position.ts';
import type { TopicPartition } from '../../../kafka-client/brokers.ts';
import type { PartitionReader } from '../../../kafka-client/fetch/partition-reader.ts';
import { pause } from '../../../timing/pause.ts';
import { logDiverged, logEndsEarly } from './ingest-halted.ts';

/** A new leader may need a moment to learn how far its log is committed: how often to look, and the pause between, ms. */
const attempts = 4;
const pauseMs = 500;

export interface LogBounds {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds out why a broker refuses to read on at a position, and whether reading can go on.
 *
 * @param onBounds called with each answer of the broker
 * @returns `readable`: the log has the position after all, or the signal was aborted. `deleted`: the broker has deleted the
 *   messages from the position up to `start`
 * @throws {IngestHalted} `SOURCE_BEHIND_STORE` or `SOURCE_DIVERGED` if the log is not the one that was read
 */
export async function checkPosition(
  reader: PartitionReader,
  partition: TopicPartition,
  position: SourcePosition,
  signal: AbortSignal,
  onBounds: (bounds: LogBounds) => void,
): Promise<{ readonly log: 'readable' } | { readonly log: 'deleted'; readonly start: number }> {
  const { next, leaderEpoch } = position;
  for (let attempt = 1; ; attempt++) {
    const bounds = await reader.bounds();
    onBounds(bounds);
    const { start, end } = bounds;
    if (next < start) return { log: 'deleted', start };
    if (next <= end && leaderEpoch === undefined) return { log: 'readable' };
    const known = leaderEpoch === undefined ? undefined : await reader.endOfEpoch(leaderEpoch);
    if (known !== undefined && known.leaderEpoch === leaderEpoch && next <= known.end) {
      return { log: 'readable' };
    }
    if (attempt === attempts) {
      if (next > end) throw logEndsEarly(partition, position, start, end);
      throw logDiverged(partition, position, start, known);
    }
    await pause(pauseMs, signal);
    if (signal.aborted) return { log: 'readable' };
  }
}
