import {
  type Checkpoint,
  createVerifier,
  equalBytes,
  formatVerifierKey,
  type KeyRotation,
  LogError,
  openRotation,
  parseOrigin,
  type Verifier,
  verifyLastUnderKey,
} from '@tallystick/log';
import type { FindingSink, FollowedRotation } from './report.ts';

/** A trusted key. One that was rotated out counts only up to the last checkpoint that it signed. */
interface TrustedKey {
  readonly verifier: Verifier;
  retired?: {
    readonly successor: Uint8Array;
    readonly last: Checkpoint | undefined;
    /** The signed note. */
    readonly statement: string;
  };
}

/**
 * The keys that are trusted for one log: those of the caller whose name is the log's, and those to which rotations lead from them
 * (spec/log.md, "Key rotation").
 */
export class TrustedKeys {
  readonly origin: string;
  readonly #keys: TrustedKey[];
  readonly followed: FollowedRotation[] = [];
  /** The last checkpoints under keys that were rotated out. The log must contain what they cover. */
  readonly handovers: Checkpoint[] = [];
  /** Two statements of one key that name different successors, both signed by it. */
  twoSuccessors: readonly [first: string, second: string] | undefined;

  constructor(origin: string, keys: readonly Verifier[]) {
    this.origin = origin;
    this.#keys = keysOf(origin, keys).map((verifier) => ({ verifier }));
  }

  /** Current and retired keys. */
  get verifiers(): readonly Verifier[] {
    return this.#keys.map(({ verifier }) => verifier);
  }

  /**
   * Follows a rotation whose old key is trusted. Any other one proves nothing and is ignored. A rotation that its keys did not sign,
   * that names a wrong checkpoint, or that gives a key a second successor is a finding.
   */
  async follow(rotation: KeyRotation, findings: FindingSink): Promise<void> {
    const old = this.#find(rotation.oldKey.publicKey);
    if (old === undefined || rotation.logName !== parseOrigin(this.origin).logName) return;
    const { publicKey } = rotation.newKey;
    const isKnown = old.retired !== undefined && equalBytes(old.retired.successor, publicKey);
    let last: Checkpoint | undefined;
    try {
      if (old.retired !== undefined && !isKnown) {
        await openRotation(rotation);
        this.twoSuccessors ??= [old.retired.statement, rotation.statement];
        throw new LogError('PROOF_INVALID', 'the key has another successor');
      }
      if (!isKnown && this.#find(publicKey)?.retired !== undefined)
        throw new LogError('PROOF_INVALID', 'the new key was rotated out before');
      await openRotation(rotation);
      last = verifyLastUnderKey(rotation, this.origin);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      findings.add({ code: 'KEY_ROTATION_INVALID', sequence_number: null, found: error.message });
      return;
    }
    if (
      last !== undefined &&
      !this.handovers.some((one) => one.size === last.size && equalBytes(one.root, last.root))
    )
      this.handovers.push(last);
    if (isKnown) {
      old.retired = { ...old.retired!, last: old.retired?.last ?? last };
      return;
    }
    old.retired = { successor: publicKey, last, statement: rotation.statement };
    const verifier = createVerifier(this.origin, publicKey);
    if (this.#find(publicKey) === undefined) this.#keys.push({ verifier });
    this.followed.push({
      rotated_at: rotation.rotatedAt,
      old_key: formatVerifierKey(old.verifier),
      new_key: formatVerifierKey(verifier),
      last_size: last?.size ?? 0,
    });
  }

  /**
   * Whether one of the keys that signed a checkpoint still counts for it: a current key, or a retired one and the checkpoint is not
   * beyond the last that it signed.
   */
  mayHaveSigned(signers: readonly Verifier[], { size, root }: Checkpoint): boolean {
    return signers.some((signer) => {
      const retired = this.#find(signer.publicKey)?.retired;
      if (retired === undefined) return true;
      const { last } = retired;
      return last !== undefined && (size < last.size || (size === last.size && equalBytes(root, last.root)));
    });
  }

  #find(publicKey: Uint8Array): TrustedKey | undefined {
    return this.#keys.find(({ verifier }) => equalBytes(verifier.publicKey, publicKey));
  }
}

/** The keys that count for a log: only a key with the log's name can sign its checkpoints. */
function keysOf(origin: string, keys: readonly Verifier[]): readonly Verifier[] {
  return keys.filter(({ name }) => name === origin);
}

/** The trusted keys of a log, with the rotations that the caller knows. */
export async function trustedKeys(
  origin: string,
  keys: readonly Verifier[],
  rotations: readonly KeyRotation[],
  findings: FindingSink,
): Promise<TrustedKeys> {
  const trusted = new TrustedKeys(origin, keys);
  for (const rotation of rotations) await trusted.follow(rotation, findings);
  return trusted;
}
