/** What this browser knows of the log of one tenant at one service. It stays in the browser, where the service can't change it. */
import { parseCheckpoint, parseNote } from '@tallystick/log';

/** A log that this browser verified. */
export interface Remembered {
  /** The verifier key that the browser trusts. */
  readonly key: string;
  /** The newest checkpoint that was verified here, a signed note. */
  readonly note?: string | undefined;
  /** RFC 3339. */
  readonly keptAt?: string | undefined;
}

/** Where it is kept: the local storage of the page's origin. */
export type MemoryStorage = Pick<Storage, 'getItem' | 'setItem'>;

/**
 * The memory for one place: an address and a tenant. The log's name is not part of it, so that a service can't escape a comparison with a
 * log of another name.
 */
export class LogMemory {
  readonly #storage: MemoryStorage | undefined;
  readonly #name: string;

  /** @param storage undefined where the browser refuses it to this page */
  constructor(storage: MemoryStorage | undefined, server: string, tenant: string) {
    this.#storage = storage;
    this.#name = `tallystick.viewer.${server}|${tenant}`;
  }

  get canRemember(): boolean {
    return this.#storage !== undefined;
  }

  read(): Remembered | undefined {
    const text = this.#storage?.getItem(this.#name);
    return text == null ? undefined : (JSON.parse(text) as Remembered);
  }

  /** Trusts a key. */
  pin(key: string): Remembered {
    const pinned = { ...this.read(), key };
    this.#write(pinned);
    return pinned;
  }

  /** Keeps a checkpoint that is proven to belong to the log that is remembered. Another tab may have kept a newer one meanwhile. */
  keep(note: string, now: number): void {
    const known = this.read();
    if (known === undefined || sizeOf(known.note) >= sizeOf(note)) return;
    this.#write({ ...known, note, keptAt: new Date(now).toISOString() });
  }

  #write(known: Remembered): void {
    try {
      this.#storage?.setItem(this.#name, JSON.stringify(known));
    } catch {
      // The storage is full. The next visit compares with what is there.
    }
  }
}

function sizeOf(note: string | undefined): number {
  return note === undefined ? -1 : parseCheckpoint(parseNote(note).text).size;
}

/** The storage of the page; undefined where the browser refuses it. */
export function pageStorage(): MemoryStorage | undefined {
  try {
    const { localStorage } = globalThis;
    localStorage.setItem('tallystick.viewer', '1');
    return localStorage;
  } catch {
    return undefined;
  }
}
