/**
 * The keys that this browser trusts, one per tenant, and the newest checkpoint of each that it has verified. They stay in this browser: the
 * service can't change them, so it can't exchange a key or shorten a log unnoticed. The log's name is not part of the place, so that a service
 * can't escape them with a log of another name.
 */
import { parseCheckpoint, parseNote, parseOrigin, parseVerifierKey } from '@tallystick/log';

/** What this browser knows of one tenant's log. */
export interface KnownLog {
  /** The verifier key string. */
  readonly key: string;
  /** RFC 3339. */
  readonly pinned_at: string;
  /** Whether the reader entered it, or the service showed it at the first visit. */
  readonly by: 'hand' | 'first-use';
  /** The newest checkpoint that was verified here, a signed note. */
  readonly checkpoint?: { readonly note: string; readonly kept_at: string } | undefined;
}

/** Where the known logs are kept: the browser's local storage. */
export interface KeyStorage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
}

const prefix = 'tallystick.log.';

/** The keys that are pinned in a browser. */
export class PinnedKeys {
  readonly #storage: KeyStorage;
  readonly #now: () => number;
  readonly #place: string;

  /** @param place path of the console: below other paths of the same host may be other services */
  constructor(storage: KeyStorage, now: () => number = Date.now, place: string = pathOfConsole()) {
    this.#storage = storage;
    this.#now = now;
    this.#place = place;
  }

  /**
   * @param origin of any epoch: the epochs of a tenant's log have one key
   * @returns what is known of the tenant's log. It may have another name than the log of the origin: that one is then not trusted
   */
  find(origin: string): KnownLog | undefined {
    const text = this.#storage.getItem(this.#nameOf(origin));
    return text === null ? undefined : (JSON.parse(text) as KnownLog);
  }

  /**
   * Trusts a key. A checkpoint that was verified with another key is forgotten.
   *
   * @throws {LogError} `KEY_MALFORMED`; `CHECKPOINT_MALFORMED` where the key is not one of a log
   */
  pin(key: string, by: KnownLog['by']): KnownLog {
    const known: KnownLog = { key: key.trim(), pinned_at: new Date(this.#now()).toISOString(), by };
    this.#storage.setItem(this.#nameOf(parseVerifierKey(known.key).name), JSON.stringify(known));
    return known;
  }

  /** Keeps a checkpoint that was verified, if it is newer than the one that is kept. */
  keep(note: string): void {
    const { origin, size } = parseCheckpoint(parseNote(note).text);
    const known = this.find(origin);
    if (known === undefined || !isSameLog(parseVerifierKey(known.key).name, origin)) return;
    const before =
      known.checkpoint === undefined ? undefined : parseCheckpoint(parseNote(known.checkpoint.note).text);
    const isOlder =
      before !== undefined &&
      (epochOf(before.origin) > epochOf(origin) || (before.origin === origin && before.size >= size));
    if (isOlder) return;
    const checkpoint = { note, kept_at: new Date(this.#now()).toISOString() };
    this.#storage.setItem(this.#nameOf(origin), JSON.stringify({ ...known, checkpoint }));
  }

  #nameOf(origin: string): string {
    return `${prefix}${this.#place}|${parseOrigin(origin).tenantId}`;
  }
}

const epochOf = (origin: string): number => parseOrigin(origin).epoch;

/** Whether two origins are of one log, in any epoch. */
export function isSameLog(one: string, other: string): boolean {
  const [a, b] = [parseOrigin(one), parseOrigin(other)];
  return a.logName === b.logName && a.tenantId === b.tenantId;
}

/** All pages of the console are in one folder. Tests have no address. */
function pathOfConsole(): string {
  const { location } = globalThis as { readonly location?: Location };
  return location === undefined ? '/' : new URL('.', location.href).pathname;
}
