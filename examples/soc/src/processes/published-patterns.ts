import type { Documents } from '../platform/documents.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import type { Lineage } from '../platform/lineage.ts';
import type { Message, TopicBus } from '../platform/topics.ts';

/**
 * The patterns of the batch scheduler, which the orchestrator reads in another process: each state of a pattern is published, and the
 * orchestrator keeps the latest one. It closes alerts by patterns also while the batch scheduler is away.
 */
export function publishedPatterns(
  patterns: Documents<FalsePositivePattern>,
  topics: TopicBus,
  newLineage: (tenantId: string) => Lineage,
): Documents<FalsePositivePattern> {
  return {
    get: (tenantId, id) => patterns.get(tenantId, id),
    list: (tenantId) => patterns.list(tenantId),
    latest: (tenantId, count) => patterns.latest(tenantId, count),
    async put(tenantId, id, pattern) {
      await patterns.put(tenantId, id, pattern);
      await topics.publish('patterns', { key: id, lineage: newLineage(tenantId), value: pattern });
    },
  };
}

/** Keeps what {@link publishedPatterns} publishes. */
export function keepPatterns(patterns: Documents<FalsePositivePattern>) {
  return ({ value }: Message<FalsePositivePattern>): Promise<void> =>
    patterns.put(value.tenant_id, value.pattern_id, value);
}
