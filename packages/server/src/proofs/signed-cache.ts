import { SignerLocked } from './signer-database.ts';
import type { LastSigned, SignerStore } from './signer-store.ts';

/** How long a cached checkpoint is used, ms. A read takes a file lock on disk, and one batch has many tenants. */
const freshMs = 10_000;
/** How long the signer's store is not read after it was found locked, ms. Each read blocks the whole process. */
const lockedMs = 2_000;

/**
 * Reads the signer's store for the writer, which asks at every batch. Where a frozen process holds the store's lock, the
 * cache answers with what it knows, so that every other replica continues to chain.
 */
export class SignedCache {
  readonly #store: SignerStore;
  /**
   * The last checkpoint of each origin, as this process read it at `at` (ms, monotonic). Signed sizes only grow, so an
   * outdated entry demands too few records of a chain, never too many. Owned by this object.
   */
  readonly #entries = new Map<string, { readonly signed: LastSigned | undefined; readonly at: number }>();
  /** When the signer's store was last found locked, ms (monotonic). */
  #lockedAt = Number.NEGATIVE_INFINITY;

  constructor(store: SignerStore) {
    this.#store = store;
  }

  lastSigned(origin: string): LastSigned | undefined {
    const now = performance.now();
    const entry = this.#entries.get(origin);
    if (entry !== undefined && now - entry.at < freshMs) return entry.signed;
    return this.unlessLocked(() => {
      const signed = this.#store.lastSigned(origin);
      this.#entries.set(origin, { signed, at: now });
      return signed;
    }, entry?.signed);
  }

  /** To be called when a new checkpoint of the origin was signed. */
  forget(origin: string): void {
    this.#entries.delete(origin);
  }

  /** The result of `read`, or `fallback` while another process holds the lock of the signer's store. */
  unlessLocked<T>(read: () => T, fallback: T): T {
    if (performance.now() - this.#lockedAt < lockedMs) return fallback;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SignerLocked)) throw error;
      this.#lockedAt = performance.now();
      return fallback;
    }
  }
}
