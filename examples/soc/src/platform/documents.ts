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
}

/** Documents in memory, for one process. */
export class MemoryDocuments<T> implements Documents<T> {
  readonly #tenants = new Map<string, Map<string, string>>();

  async get(tenantId: string, id: string): Promise<T | undefined> {
    const text = this.#tenants.get(tenantId)?.get(id);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  async put(tenantId: string, id: string, document: T): Promise<void> {
    const documents = this.#tenants.get(tenantId) ?? new Map<string, string>();
    this.#tenants.set(tenantId, documents.set(id, JSON.stringify(document)));
  }

  async list(tenantId: string): Promise<readonly T[]> {
    return [...(this.#tenants.get(tenantId)?.values() ?? [])].map((text) => JSON.parse(text) as T);
  }
}
