import { randomBytes } from 'node:crypto';
import {
  type Checkpoint,
  createVerifier,
  equalBytes,
  formatCheckpoint,
  formatNote,
  formatOrigin,
  formatVerifierKey,
  importSigningKey,
  logNamePattern,
  parseNote,
  type SigningKey,
  signNote,
  type Verifier,
} from '@tallystick/log';
import { ServerError } from '../errors.ts';
import { KeyRotations } from './key-rotations.ts';
import { type LastSigned, SignerStore } from './signer-store.ts';
import type { LogId } from './tree-reader.ts';

/** Proves that `next` extends the checkpoint that was signed before. Throws where it does not. */
export type ProveExtension = (before: LastSigned, next: Checkpoint) => Promise<void>;

/**
 * Signs checkpoints with one Ed25519 key, each under the name of its origin. It never signs two checkpoints that
 * contradict each other: see {@link SignerStore}.
 */
export class Signer {
  readonly store: SignerStore;
  readonly logName: string;
  /** The secret from which the ids of the service's own records are derived. */
  readonly recordIdSecret: Uint8Array;
  /** The rotations of the key. */
  readonly rotations: KeyRotations;
  /** The current key as it was last read. Another process may retire it, so each signature reads the seed again. */
  #key: { readonly seed: Uint8Array; readonly key: SigningKey } | undefined;

  private constructor(store: SignerStore, logName: string) {
    this.store = store;
    this.logName = logName;
    this.rotations = new KeyRotations(store, logName);
    this.recordIdSecret = store.serviceSecret('service-record-ids');
  }

  /**
   * Opens a signer's directory. At first use it makes a key and fixes the log's name.
   *
   * @param givenName absent: the name that the directory has, or for a new one a random name, so that no two logs share one
   * @throws {ServerError} `CONFIG_INVALID` for a malformed log name, or for a directory of a log with another name
   */
  static async open(directory: string, givenName?: string): Promise<Signer> {
    if (givenName !== undefined && !logNamePattern.test(givenName)) {
      throw new ServerError(
        'CONFIG_INVALID',
        'the log name must be a URL without its scheme, such as audit.example.com',
      );
    }
    const store = new SignerStore(directory);
    store.setLogName(givenName ?? `local/${randomBytes(8).toString('hex')}`);
    const logName = store.logName()!;
    if (givenName !== undefined && givenName !== logName) {
      store.close();
      throw new ServerError(
        'CONFIG_INVALID',
        `the signer's directory belongs to the log ${logName}, not ${givenName}`,
      );
    }
    if (store.currentSeed() === undefined) {
      const seed = randomBytes(32);
      const { publicKey } = await importSigningKey(seed);
      store.addFirstKey(seed, publicKey, new Date().toISOString());
    }
    const signer = new Signer(store, logName);
    store.endOpening();
    return signer;
  }

  /** The origin of a tenant's log: what its checkpoints name. */
  originOf({ tenantId, epoch }: LogId): string {
    return formatOrigin({ logName: this.logName, tenantId, epoch });
  }

  /**
   * Which epochs a tenant's chain can have: those that were signed or opened. Without any checkpoint of the tenant there is
   * nothing to compare with, and every epoch can be genuine.
   */
  knownEpochs(tenantId: string): (epoch: number) => boolean {
    const signed = this.store.lastSignedOf(this.logName, tenantId);
    return (epoch) => {
      if (signed.length === 0) return true;
      if (!Number.isSafeInteger(epoch) || epoch < 1) return false;
      const origin = this.originOf({ tenantId, epoch });
      return signed.some((one) => one.origin === origin) || this.store.isOpened(origin);
    };
  }

  /** The current key under the name of the log. */
  currentVerifier(): Verifier {
    return createVerifier(this.logName, new Uint8Array(this.store.publicKeys()[0]!.publicKey));
  }

  /** The verifier keys of an origin, newest first. Checkpoints from before a rotation verify with retired keys. */
  verifierKeys(
    origin: string,
  ): { readonly key: string; readonly createdAt: string; readonly retiredAt?: string }[] {
    return this.store.publicKeys().map(({ publicKey, createdAt, retiredAt }) => ({
      key: formatVerifierKey(createVerifier(origin, publicKey)),
      createdAt,
      ...(retiredAt !== undefined && { retiredAt }),
    }));
  }

  /**
   * Signs a checkpoint. A checkpoint that was signed before yields the same note again, with a signature of the current key if
   * only keys before it had signed.
   *
   * @returns `undefined` where another replica signed a larger one meanwhile: read the store again
   * @throws {ServerError} `CHECKPOINT_INCONSISTENT` where it contradicts what was signed; `STORE_UNAVAILABLE` where another
   *   process holds the lock of the signer's directory and does not release it
   */
  async sign(checkpoint: Checkpoint, proveExtension: ProveExtension): Promise<string | undefined> {
    for (;;) {
      const before = await this.store.patiently(() => this.store.lastSigned(checkpoint.origin));
      if (before !== undefined && before.size === checkpoint.size) {
        if (!equalBytes(before.root, checkpoint.root)) throw inconsistent(checkpoint, before);
        return await this.#signRecorded(checkpoint, before.note);
      }
      if (before !== undefined && before.size > checkpoint.size) return undefined;
      if (before !== undefined) await proveExtension(before, checkpoint);
      // Durable from here: the signer will never sign another root for this size. A crash leaves the checkpoint without
      // a note, and the next call makes the note.
      const recorded = await this.store.patiently(() => this.store.record(checkpoint, before?.size ?? 0));
      if (recorded) return await this.#signRecorded(checkpoint);
    }
  }

  /** The note of a recorded checkpoint, with a signature of the current key. */
  async noteOf({ note, ...checkpoint }: LastSigned): Promise<string> {
    return await this.#signRecorded(checkpoint, note);
  }

  /** @param signed the note as it was signed before */
  async #signRecorded(checkpoint: Checkpoint, signed?: string): Promise<string> {
    const key = await this.#currentKey();
    const { origin: name } = checkpoint;
    const earlier = signed === undefined ? [] : parseNote(signed).signatures;
    const { keyId } = createVerifier(name, key.publicKey);
    if (earlier.some((one) => equalBytes(one.keyId, keyId))) return signed!;
    const text = formatCheckpoint(checkpoint);
    const [own] = parseNote(await signNote(text, [{ name, key }])).signatures;
    const note = formatNote({ text, signatures: [...earlier, own!] });
    await this.store.patiently(() => this.store.keepNote(checkpoint.origin, checkpoint.size, note));
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

export function inconsistent({ origin, size }: Checkpoint, before: LastSigned): ServerError {
  return new ServerError(
    'CHECKPOINT_INCONSISTENT',
    `the log ${origin} contradicts a checkpoint signed for it`,
    {
      details: { origin, size, signed_size: before.size },
    },
  );
}
