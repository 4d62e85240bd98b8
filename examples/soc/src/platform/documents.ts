/**
 * Keeps documents of one kind, per tenant. A document of one tenant is never returned for another.
 *
 * Implementations MUST return copies, so that a caller can't change a stored document.
 */
export interface Documents<T> {
  get(tenantId: string, id: string): Promise<T | undefined>;
  put(tenantId: string, id: string, document: T): Promise<void>;
  /** All documents of the tenant, in the order in which they were first stored. */
  list(tenantId: string): Promise<readonly T[]>;
  /** The documents of the tenant that were first stored last, at most `count`, in the order in which they were first stored. */
  latest(tenantId: string, count: number): Promise<readonly T[]>;
}

/** How many documents of a tenant a process keeps in memory. */
export interface MemoryLimit<T> {
  readonly keep: number;
  /** Whether a document may be dropped. One that work still depends on stays. @defaultValue every one may */
  readonly mayDrop?: (document: T) => boolean;
}

interface DocumentsOfTenant {
  /** JSON by id, in the order in which they were first stored. */
  readonly texts: Map<string, string>;
  /** Ids of the documents that may be dropped, the one that may be dropped for the longest time first. */
  readonly droppable: Set<string>;
}

/** Documents in memory, for one process. With a limit, the oldest that may be dropped makes room for a new one. */
export class MemoryDocuments<T> implements Documents<T> {
  readonly #tenants = new Map<string, DocumentsOfTenant>();
  readonly #limit: MemoryLimit<T> | undefined;

  /** @param limit none by default */
  constructor(limit?: MemoryLimit<T>) {
    this.#limit = limit;
  }

  /** Documents of all tenants. */
  get size(): number {
    return [...this.#tenants.values()].reduce((sum, { texts }) => sum + texts.size, 0);
  }

  async get(tenantId: string, id: string): Promise<T | undefined> {
    const text = this.#tenants.get(tenantId)?.texts.get(id);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  async put(tenantId: string, id: string, document: T): Promise<void> {
    const { texts, droppable } = this.#tenants.get(tenantId) ?? this.#addTenant(tenantId);
    texts.set(id, JSON.stringify(document));
    if (this.#limit === undefined) return;
    const { keep, mayDrop = () => true } = this.#limit;
    if (mayDrop(document)) droppable.add(id);
    else droppable.delete(id);
    const [oldest] = droppable;
    if (texts.size <= keep || oldest === undefined) return;
    texts.delete(oldest);
    droppable.delete(oldest);
  }

  async list(tenantId: string): Promise<readonly T[]> {
    return [...(this.#tenants.get(tenantId)?.texts.values() ?? [])].map((text) => JSON.parse(text) as T);
  }

  async latest(tenantId: string, count: number): Promise<readonly T[]> {
    const texts = this.#tenants.get(tenantId)?.texts;
    if (texts === undefined || count <= 0) return [];
    return [...texts.values()].slice(-count).map((text) => JSON.parse(text) as T);
  }

  #addTenant(tenantId: string): DocumentsOfTenant {
    const documents = { texts: new Map<string, string>(), droppable: new Set<string>() };
    this.#tenants.set(tenantId, documents);
    return documents;
  }
}
