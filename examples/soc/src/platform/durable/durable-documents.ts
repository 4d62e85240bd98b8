import type { Documents } from '../documents.ts';
import { openUnit } from '../unit-of-work.ts';
import type { DurableStore } from './store.ts';

interface Row {
  readonly id: string;
  readonly document: string;
}

/** Documents on disk. Within a unit of work they are written with it, and the work reads what it wrote. */
export class DurableDocuments<T> implements Documents<T> {
  readonly #store: DurableStore;
  readonly #kind: string;

  /** @param kind no other documents of the store have it */
  constructor(store: DurableStore, kind: string) {
    this.#store = store;
    this.#kind = kind;
  }

  async get(tenantId: string, id: string): Promise<T | undefined> {
    const written = openUnit()?.documents.get(this.#keyOf(tenantId, id));
    const text = written ?? this.#stored(tenantId, id);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  async put(tenantId: string, id: string, document: T): Promise<void> {
    const text = JSON.stringify(document);
    openUnit()?.documents.set(this.#keyOf(tenantId, id), text);
    this.#store.change(() =>
      this.#store.execute(
        `insert into documents (kind, tenant, id, document) values (?, ?, ?, ?)
         on conflict (kind, tenant, id) do update set document = excluded.document`,
        ...[this.#kind, tenantId, id, text],
      ),
    );
  }

  async list(tenantId: string): Promise<readonly T[]> {
    return this.latest(tenantId, -1);
  }

  async latest(tenantId: string, count: number): Promise<readonly T[]> {
    const stored = this.#store.query<Row>(
      'select id, document from documents where kind = ? and tenant = ? order by place desc limit ?',
      ...[this.#kind, tenantId, count],
    );
    const all = new Map(stored.toReversed().map(({ id, document }) => [id, document]));
    for (const [key, text] of openUnit()?.documents ?? []) {
      const [kind, tenant, id] = JSON.parse(key) as [string, string, string];
      // An older document that is not among the latest ones stays out of them.
      if (kind !== this.#kind || tenant !== tenantId) continue;
      if (all.has(id) || this.#stored(tenantId, id) === undefined) all.set(id, text);
    }
    const texts = [...all.values()];
    return (count < 0 ? texts : texts.slice(Math.max(0, texts.length - count))).map(
      (text) => JSON.parse(text) as T,
    );
  }

  #stored(tenantId: string, id: string): string | undefined {
    const sql = 'select id, document from documents where kind = ? and tenant = ? and id = ?';
    return this.#store.query<Row>(sql, this.#kind, tenantId, id)[0]?.document;
  }

  #keyOf(tenantId: string, id: string): string {
    return JSON.stringify([this.#kind, tenantId, id]);
  }
}
