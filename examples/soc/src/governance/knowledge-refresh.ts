import type { Documents } from '../platform/documents.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import type { Recorder } from '../platform/recorder.ts';
import { type KnowledgeArticle, KnowledgeBase, type KnowledgeIndex } from './knowledge-base.ts';

/** Keeps the knowledge base of each tenant up to date, and records what changed. */
export class KnowledgeRefresh {
  readonly #knowledge: KnowledgeBase;
  readonly #recorder: Recorder;

  constructor(recorder: Recorder, knowledge?: Documents<KnowledgeIndex>) {
    this.#recorder = recorder;
    this.#knowledge = new KnowledgeBase(knowledge);
  }

  /** Brings the knowledge base of a tenant up to date. Nothing is recorded if nothing changed. */
  async refresh(articles: readonly KnowledgeArticle[], lineage: Lineage): Promise<void> {
    const { added, changed, removed, unchanged } = await this.#knowledge.refresh(lineage.tenantId, articles);
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
