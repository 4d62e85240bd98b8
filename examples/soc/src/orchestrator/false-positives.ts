import type { Alert } from '../platform/alert.ts';
import type { Controls } from '../platform/controls.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import { overlap } from './similar-incidents.ts';

/** How well an alert fits a pattern: 0 to 1. */
function patternScore(alert: Alert, pattern: FalsePositivePattern): number {
  const ids = new Set(alert.entities.map(({ id }) => id));
  const present = pattern.entity_ids.filter((id) => ids.has(id)).length;
  const entities = pattern.entity_ids.length === 0 ? 1 : present / pattern.entity_ids.length;
  const score =
    (alert.source === pattern.source ? 0.3 : 0) +
    (normalised(alert.title) === normalised(pattern.title) ? 0.3 : 0) +
    0.2 *
      (alert.techniques.length === 0 && pattern.techniques.length === 0
        ? 1
        : overlap(alert.techniques, pattern.techniques)) +
    0.2 * entities;
  return Math.round(score * 1_000) / 1_000;
}

/** Numbers and case differ between alerts of one rule. */
export function normalised(title: string): string {
  return title.toLowerCase().replace(/\d+/g, '#').replace(/\s+/g, ' ').trim();
}

export interface PatternCheck {
  /** How many active patterns were compared. */
  readonly checked: number;
  /** The best pattern that may close the alert. */
  readonly match?: { readonly pattern: FalsePositivePattern; readonly score: number } | undefined;
  /** Why a pattern that fits does not close the alert. */
  readonly withheld?: string | undefined;
}

/**
 * Looks for a pattern that closes an alert. An alert with signs of injection is never closed this way: its sender may imitate a
 * pattern.
 */
export async function checkPatterns(
  alert: Alert,
  patterns: readonly FalsePositivePattern[],
  minimumScore: number,
  controls: Controls,
): Promise<PatternCheck> {
  const active = patterns.filter(({ state }) => state === 'active');
  const [best] = active
    .map((pattern) => ({ pattern, score: patternScore(alert, pattern) }))
    .toSorted((a, b) => b.score - a.score);
  const checked = active.length;
  if (best === undefined || best.score < minimumScore) return { checked };
  if (alert.injection.length > 0) return { checked, withheld: 'the alert has signs of injection' };
  if (await controls.isShadow(alert.tenant_id)) return { checked, withheld: 'the tenant is in shadow mode' };
  const isKilled = await controls.isKilled(alert.tenant_id, [
    { kind: 'tenant', value: alert.tenant_id },
    { kind: 'pattern', value: best.pattern.pattern_id },
    { kind: 'source', value: alert.source },
    ...alert.techniques.map((value) => ({ kind: 'technique' as const, value })),
  ]);
  return isKilled ? { checked, withheld: 'a kill switch stops it' } : { checked, match: best };
}
