import { randomBytes } from 'node:crypto';
import {
  createVerifier,
  equalBytes,
  formatCheckpoint,
  formatVerifierKey,
  importSigningKey,
  logNamePattern,
  type SigningKey,
  signNote,
} from '@tallystick/log';
import { ServerError } from '../errors.ts';
import { type SignedHead, SignerStore } from './signer-store.ts';

export interface Head {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** Proves that `head` extends what was signed before; throws where it does not. */
export type ProveExtension = (before: SignedHead, head: Head) => Promise<void>;

/**
 * Signs checkpoints with one Ed25519 key, under each origin's own name. It never signs two that contradict each other:
 * see {@link SignerStore}.
 */
export class Signer {
  readonly store: SignerStore;
  readonly logName: string;
  /** The key in use as it was last read. Another process may retire it, so it is looked up for each signature. */
  #key: { readonly seed: Uint8Array; readonly key: SigningKey } | undefined;

  private constructor(store: SignerStore, logName: string) {
    this.store = store;
    this.logName = logName;
  }

  /**
   * Opens a signer's directory; makes a key and fixes the log's name at first use.
   *
   * @throws {ServerError} `CONFIG_INVALID` for a malformed log name, or another one than the directory was made with
   */
  static async open(directory: string, logName: string): Promise<Signer> {
    if (!logNamePattern.test(logName)) {
      throw new ServerError(
        'CONFIG_INVALID',
        'the log name must be a schema-less URL such as audit.example.com',
      );
    }
    const store = new SignerStore(directory);
    store.setLogName(logName);
    const known = store.logName();
    if (known !== logName) {
      store.close();
      throw new ServerError(
        'CONFIG_INVALID',
        `the signer's directory belongs to the log ${known}, not ${logName}`,
      );
    }
    if (store.currentSeed() === undefined) {
      const seed = randomBytes(32);
      const { publicKey } = await importSigningKey(seed);
      store.addFirstKey(seed, publicKey, new Date().toISOString());
    }
    store.endOpening();
    return new Signer(store, logName);
  }

  /** The verifier key of an origin, newest first; retired keys are those of checkpoints signed before a rotation. */
  verifierKeys(
    origin: string,
  ): { readonly key: string; readonly createdAt: string; readonly retiredAt?: string }[] {
    return this.store.publicKeys().map(({ publicKey, createdAt, retiredAt }) => ({
      key: formatVerifierKey(createVerifier(origin, publicKey)),
      createdAt,
      ...(retiredAt !== undefined && { retiredAt }),
    }));
  }

  /** Puts a fresh key into use. Checkpoints signed from now on verify with it alone. */
  async rotate(): Promise<void> {
    const seed = randomBytes(32);
    const { publicKey } = await importSigningKey(seed);
    await this.store.patiently(() => this.store.addKey(seed, publicKey, new Date().toISOString()));
  }

  /**
   * Signs a head; one that was signed before gives its note again.
   *
   * @returns `undefined` where a larger head was signed meanwhile, by another replica: read the store again
   * @throws {ServerError} `CHECKPOINT_INCONSISTENT` where it contradicts what was signed; `STORE_UNAVAILABLE` where another
   *   process holds the signer's directory and does not go on
   */
  async sign(head: Head, proveExtension: ProveExtension): Promise<string | undefined> {
    for (;;) {
      const before = await this.store.patiently(() => this.store.head(head.origin));
      if (before !== undefined && before.size === head.size) {
        if (!equalBytes(before.root, head.root)) throw inconsistent(head, before);
        if (before.note !== undefined) return before.note;
        return await this.#signRecorded(head);
      }
      if (before !== undefined && before.size > head.size) return undefined;
      if (before !== undefined) await proveExtension(before, head);
      // Durable from here: this head and no other of its size will ever be signed. A crash leaves it without a note,
      // and the same note is made at the next call.
      const recorded = await this.store.patiently(() => this.store.record(head, before?.size ?? 0));
      if (recorded) return await this.#signRecorded(head);
    }
  }

  async #signRecorded(head: Head): Promise<string> {
    const key = await this.#currentKey();
    const note = await signNote(formatCheckpoint(head), [{ name: head.origin, key }]);
    await this.store.patiently(() => this.store.keepNote(head.origin, head.size, note));
    return note;
  }

  async #currentKey(): Promise<SigningKey> {
    const seed = (await this.store.patiently(() => this.store.currentSeed()))!;
    if (this.#key === undefined || !equalBytes(this.#key.seed, seed)) {
      this.#key = { seed, key: await importSigningKey(seed) };
    }
    return this.#key.key;
  }

  close(): void {
    this.store.close();
  }
}

export function inconsistent(head: Head, before: SignedHead): ServerError {
  return new ServerError(
    'CHECKPOINT_INCONSISTENT',
    `the log ${head.origin} contradicts a checkpoint signed for it`,
    {
      details: { origin: head.origin, size: head.size, signed_size: before.size },
    },
  );
}
