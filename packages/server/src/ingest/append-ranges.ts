import { type AppendOptions, type AppendResult, appendBatches } from '../chain/append-batch.ts';
import type { Batch, ItemOutcome } from '../chain/batch.ts';
import type { ServiceObserver } from '../observer.ts';
import type { Database } from '../store/database.ts';

/**
 * Chains batches in one transaction, with the positions of the sources that they were read from. A caller whose call
 * failed calls again with the same batches: the service skips what it has already applied.
 *
 * @returns one result for each batch
 * @throws {ServerError} as `appendBatches`
 */
export type AppendRanges = (
  batches: readonly Batch[],
  hooks?: Pick<AppendOptions, 'onStage'>,
) => Promise<AppendResult[]>;

/** Makes {@link AppendRanges} of one store. The observer learns of every commit and outcome. */
export function rangeAppender(
  database: Database,
  options: AppendOptions,
  observer: ServiceObserver,
): AppendRanges {
  return async (batches, hooks = {}) => {
    const started = performance.now();
    const results = await appendBatches(database, batches, { ...options, ...hooks });
    const events = batches.reduce((sum, { items }) => sum + items.length, 0);
    observer.onCommit?.({ events, durationMs: performance.now() - started });
    for (const { outcomes } of results) {
      for (const outcome of outcomes) if (outcome !== undefined) reportOutcome(observer, outcome);
    }
    return results;
  };
}

export function reportOutcome(observer: ServiceObserver, outcome: ItemOutcome): void {
  observer.onOutcome?.(outcome.status, 1);
  if ('deadLetter' in outcome) observer.onDeadLetter?.(outcome.deadLetter.violations[0]!.code);
}
