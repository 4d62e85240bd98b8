import { type Checkpoint, LogError, verifyConsistency } from '@tallystick/log';
import {
  type Contradiction,
  distinct,
  findEquivocation,
  type JudgedCheckpoint,
  judgeCheckpoint,
  lastCovered,
  readAccepted,
  readKept,
} from '../checkpoints.ts';
import type { Findings } from '../report.ts';
import type { TreeCheck } from '../tree-check.ts';
import type { TrustedKeys } from '../trusted-keys.ts';
import { BundleError } from './bundle-error.ts';
import type { BundleEntry } from './entries.ts';
import { LinkedSizes } from './linked-sizes.ts';

type Consistency = Extract<BundleEntry, { kind: 'consistency' }>;

/** Checkpoints from outside of a bundle, as notes. */
export interface OutsideCheckpoints {
  /** See `VerifyBundleOptions.checkpoints`. */
  readonly given: readonly string[];
  /** See `VerifyBundleOptions.kept`. */
  readonly accepted: readonly string[];
}

/** The checkpoints with which the records of one bundle are compared: those in the bundle, and those from outside. */
export class BundleCheckpoints {
  readonly #keys: TrustedKeys;
  readonly #outside: OutsideCheckpoints;
  readonly #findings: Findings;
  /** Whether those from outside were read: after the rotations, because a later key may have signed them. */
  #hasKept = false;
  /** Those from outside. */
  #kept: readonly JudgedCheckpoint[] = [];
  /** The bundle's own, newest first. */
  readonly #own: JudgedCheckpoint[] = [];
  readonly #linked = new LinkedSizes();

  constructor(keys: TrustedKeys, outside: OutsideCheckpoints, findings: Findings) {
    this.#keys = keys;
    this.#outside = outside;
    this.#findings = findings;
  }

  /** The bundle's newest checkpoint. */
  get first(): JudgedCheckpoint | undefined {
    return this.#own[0];
  }

  /** Reads the checkpoints from outside, at the first call. */
  async readKept(): Promise<void> {
    if (this.#hasKept) return;
    this.#hasKept = true;
    this.#kept = [
      ...readAccepted(this.#outside.accepted, this.#keys.origin),
      ...(await readKept(this.#outside.given, this.#keys, this.#findings)),
    ];
  }

  /** @throws {BundleError} `BUNDLE_DAMAGED` if it can't be read, or is newer than the one before it */
  async take(note: string): Promise<void> {
    await this.readKept();
    let checkpoint: JudgedCheckpoint;
    try {
      checkpoint = await judgeCheckpoint(note, this.#keys, this.#findings);
    } catch (cause) {
      if (cause instanceof LogError) throw new BundleError('BUNDLE_DAMAGED', cause.message, { cause });
      throw cause;
    }
    const before = this.#own.at(-1);
    if (before !== undefined && checkpoint.size > before.size) {
      throw new BundleError('BUNDLE_DAMAGED', 'checkpoints must be ordered newest first');
    }
    this.#own.push(checkpoint);
  }

  /** @throws {BundleError} `BUNDLE_DAMAGED` if the proof is of checkpoints that are not in the bundle */
  takeConsistency(proof: Consistency): void {
    const named = (size: number) => this.#own.filter((checkpoint) => checkpoint.size === size);
    const trusted = (size: number) => named(size).find((checkpoint) => checkpoint.signedBy.length > 0);
    if (named(proof.from).length === 0 || named(proof.to).length === 0) {
      throw new BundleError(
        'BUNDLE_DAMAGED',
        'a consistency line names a checkpoint that is not in the file',
      );
    }
    const from = trusted(proof.from);
    const to = trusted(proof.to);
    if (from === undefined || to === undefined) return;
    try {
      verifyConsistency(from.size, to.size, proof.hashes, from.root, to.root);
      this.#linked.add(from.size, to.size);
    } catch {
      this.#findings.add({ code: 'CHECKPOINT_INCONSISTENT', sequence_number: lastCovered(to) });
    }
  }

  /** What the tree is compared with: trusted checkpoints, and the last ones under keys that were rotated out. */
  compared(): Checkpoint[] {
    return distinct([...this.#keys.handovers, ...this.#trusted()]);
  }

  isOwn(checkpoint: Checkpoint): boolean {
    return this.#own.some((own) => own === checkpoint);
  }

  /** Two signed statements that contradict each other, also in comparison with the tree of the records. */
  equivocation(tree: TreeCheck | undefined): Contradiction | undefined {
    return findEquivocation(this.#trusted(), tree) ?? this.#keys.twoSuccessors;
  }

  /** Sizes of the checkpoints from outside with which the bundle can't be compared. */
  sizesWithout(isCompared: (size: number) => boolean): number[] {
    return [...new Set(this.#kept.map(({ size }) => size))].filter((size) => !isCompared(size));
  }

  /** Whether consistency proofs link a checkpoint of this size to the bundle's newest one. */
  isLinkedToFirst(size: number): boolean {
    const first = this.#own[0]!;
    return first.signedBy.length > 0 && this.#linked.areLinked(size, first.size);
  }

  /** Trusted checkpoints of the bundle, with those from outside. */
  #trusted(): JudgedCheckpoint[] {
    const own = this.#own.filter((checkpoint) => checkpoint.signedBy.length > 0);
    // The bundle's own comes last and stays where both are the same: only the bundle's own must be reached.
    return this.#kept.length === 0 ? own : distinct([...this.#kept, ...own]);
  }
}
