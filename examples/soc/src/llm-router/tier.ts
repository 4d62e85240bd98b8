import type { ModelCall, ModelTier } from '../platform/reasoning.ts';
import type { Settings } from '../platform/settings.ts';

export interface TierChoice {
  readonly tier: ModelTier;
  /** The rule that decided, for the record. */
  readonly reason: string;
}

/**
 * The tier of a call. The overrides are applied in this order, and a later one that asks for more wins, except that a caller without time
 * always gets the fast tier.
 */
export function chooseTier(call: ModelCall, settings: Settings['router']): TierChoice {
  const { timeBudgetMs, severity, needsReasoning, contextTokens, previousConfidence, task } = call;
  if (timeBudgetMs !== undefined && timeBudgetMs < settings.fastBelowMs) {
    return { tier: '0', reason: `the answer is needed within ${timeBudgetMs} ms` };
  }
  const isSevere = severity === 'critical' || severity === 'high';
  if (isSevere && previousConfidence !== undefined && previousConfidence < settings.extendedBelowConfidence) {
    return { tier: '1+', reason: `the previous answer had a confidence of ${previousConfidence}` };
  }
  if (contextTokens > settings.largeContextTokens) {
    return { tier: '1', reason: `the context has ${contextTokens} tokens` };
  }
  if (severity === 'critical' && needsReasoning) return { tier: '1', reason: 'critical and needs reasoning' };
  if (task.startsWith('batch.')) return { tier: '2', reason: 'a task of a batch' };
  return needsReasoning
    ? { tier: '1', reason: 'needs reasoning' }
    : { tier: '0', reason: 'needs no reasoning' };
}
