/** Views of the events page that the reader has named. They are in this browser alone: the service does not know them. */

/** A view: the query of its address, with the tenant. */
export interface SavedView {
  readonly name: string;
  readonly query: string;
}

/** Where views are kept: the browser's local storage. */
export interface ViewStorage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
}

const storageKey = 'tallystick.views';
/** Bounds of what is kept. */
const most = { views: 50, name: 60, query: 4_000 };

/** The views of this browser, by name. */
export class SavedViews {
  readonly #storage: ViewStorage;

  constructor(storage: ViewStorage) {
    this.#storage = storage;
  }

  /** Anything else that another version or a person has stored there is left out. */
  list(): readonly SavedView[] {
    let stored: unknown;
    try {
      stored = JSON.parse(this.#storage.getItem(storageKey) ?? '[]');
    } catch {
      return [];
    }
    if (!Array.isArray(stored)) return [];
    return stored.filter(isView).slice(0, most.views);
  }

  /** Keeps a view. One of the same name is replaced; of more than fifty, the oldest goes. */
  save(name: string, parameters: URLSearchParams): readonly SavedView[] {
    const kept = new URLSearchParams(parameters);
    // The open record is no part of a view.
    kept.delete('event');
    const view = { name: name.trim().slice(0, most.name), query: kept.toString() };
    if (!isView(view)) return this.list();
    const others = this.list().filter((each) => each.name !== view.name);
    return this.#store([...others, view].slice(-most.views));
  }

  remove(name: string): readonly SavedView[] {
    return this.#store(this.list().filter((view) => view.name !== name));
  }

  #store(views: readonly SavedView[]): readonly SavedView[] {
    this.#storage.setItem(storageKey, JSON.stringify(views));
    return views;
  }
}

function isView(value: unknown): value is SavedView {
  const { name, query } = (value ?? {}) as { readonly name?: unknown; readonly query?: unknown };
  if (typeof name !== 'string' || typeof query !== 'string') return false;
  return name !== '' && name.length <= most.name && query.length <= most.query;
}
