import { after, type Lineage } from '../platform/lineage.ts';
import type { Recorder } from '../platform/recorder.ts';
import { type KnowledgeArticle, KnowledgeBase } from './knowledge-base.ts';

/** Keeps the knowledge base of each tenant up to date, and records what changed. */
export class KnowledgeRefresh {
  readonly #knowledge = new KnowledgeBase();
  readonly #recorder: Recorder;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** Brings the knowledge base of a tenant up to date. Nothing is recorded if nothing changed. */
  refresh(articles: readonly KnowledgeArticle[], lineage: Lineage): void {
    const { added, changed, removed, unchanged } = this.#knowledge.refresh(lineage.tenantId, articles);
    if (added.length + changed.length + removed.length === 0) return;
    const indexed = this.#recorder.emit('knowledge.indexed', lineage, {
      targetType: 'knowledge_base',
      targetId: lineage.tenantId,
      context: {
        articles_added: added,
        articles_changed: changed,
        articles_removed: removed,
        articles_unchanged: unchanged,
      },
      outcome: { outcome_status: 'success', action_taken: 'indexed' },
    });
    if (changed.length === 0) return;
    this.#recorder.emit('embedding.reindexed', after(lineage, indexed), {
      targetType: 'knowledge_base',
      targetId: lineage.tenantId,
      context: { articles_changed: changed, embedding_model: 'hashed words, 64 dimensions' },
      outcome: { outcome_status: 'success', action_taken: 'vectors replaced' },
    });
  }
}
