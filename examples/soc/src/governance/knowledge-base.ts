import { vectorOf } from '../orchestrator/similar-incidents.ts';
import { hashOf } from '../platform/artifacts.ts';

/** A text that models may be given. */
export interface KnowledgeArticle {
  readonly article_id: string;
  readonly text: string;
}

interface Indexed {
  readonly hash: string;
  readonly vector: readonly number[];
}

/** What one refresh changed. */
export interface Refresh {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
}

/** The articles of one tenant with their vectors. */
export class KnowledgeBase {
  readonly #tenants = new Map<string, Map<string, Indexed>>();

  /** Brings the index to the state of `articles`. Only new and changed texts get new vectors. */
  refresh(tenantId: string, articles: readonly KnowledgeArticle[]): Refresh {
    const known = this.#tenants.get(tenantId) ?? new Map<string, Indexed>();
    const next = new Map<string, Indexed>();
    const added: string[] = [];
    const changed: string[] = [];
    for (const { article_id, text } of articles) {
      const hash = hashOf(text);
      const before = known.get(article_id);
      if (before === undefined) added.push(article_id);
      else if (before.hash !== hash) changed.push(article_id);
      next.set(article_id, before?.hash === hash ? before : { hash, vector: vectorOf(text) });
    }
    const removed = [...known.keys()].filter((id) => !next.has(id));
    this.#tenants.set(tenantId, next);
    return { added, changed, removed, unchanged: next.size - added.length - changed.length };
  }
}
