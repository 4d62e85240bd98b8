import { vectorOf } from '../orchestrator/similar-incidents.ts';
import { hashOf } from '../platform/artifacts.ts';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';

/** A text that models may be given. */
export interface KnowledgeArticle {
  readonly article_id: string;
  readonly text: string;
}

interface Indexed {
  readonly hash: string;
  readonly vector: readonly number[];
}

/** The articles of a tenant by their ids. */
export type KnowledgeIndex = readonly (readonly [articleId: string, indexed: Indexed])[];

const indexId = 'index';

/** What one refresh changed. */
export interface Refresh {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
}

/** The articles of each tenant with their vectors. */
export class KnowledgeBase {
  readonly #documents: Documents<KnowledgeIndex>;

  constructor(documents: Documents<KnowledgeIndex> = new MemoryDocuments<KnowledgeIndex>()) {
    this.#documents = documents;
  }

  /** Brings the index to the state of `articles`. Only new and changed texts get new vectors. */
  async refresh(tenantId: string, articles: readonly KnowledgeArticle[]): Promise<Refresh> {
    const known = new Map(await this.#documents.get(tenantId, indexId));
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
    await this.#documents.put(tenantId, indexId, [...next]);
    return { added, changed, removed, unchanged: next.size - added.length - changed.length };
  }
}
