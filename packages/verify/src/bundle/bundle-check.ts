import {
  type AuditRecord,
  ChainVerifier,
  type Checkpoint,
  equalBytes,
  type KeyRotation,
  LogError,
  leafHash,
  rootFromInclusion,
  toHex,
  type Verifier,
} from '@tallystick/log';
import {
  type Contradiction,
  findContradictions,
  type JudgedCheckpoint,
  lastCovered,
} from '../checkpoints.ts';
import type { ClosedEpochCheck } from '../closed/closed-epoch-check.ts';
import { ClosedEpochs } from '../closed/closed-epochs.ts';
import {
  type ChainVerdict,
  Findings,
  isTrusted,
  type Report,
  type TrustSource,
  type Verdict,
  verdictOf,
} from '../report.ts';
import { TreeCheck } from '../tree-check.ts';
import { type TrustedKeys, trustedKeys } from '../trusted-keys.ts';
import { BundleCheckpoints, type OutsideCheckpoints } from './bundle-checkpoints.ts';
import type { BundleError } from './bundle-error.ts';
import { CoveredRanges } from './covered-ranges.ts';
import type { BundleEntry, BundleHeader } from './entries.ts';

type Proof = Extract<BundleEntry, { kind: 'proof' }>;

/** The verdict on a part whose records have this verdict. */
const partVerdicts: { readonly [verdict in ChainVerdict]: Verdict } = {
  verified: 'verified_partial',
  recovered: 'recovered_partial',
  broken: 'broken',
  not_verifiable: 'not_verifiable',
};

export interface BundleCheckOptions extends OutsideCheckpoints {
  readonly keys: readonly Verifier[];
  readonly trust: TrustSource;
  /** See `VerifyBundleOptions.rotations`. */
  readonly rotations: readonly KeyRotation[];
  /** See `VerifyBundleOptions.keptOfClosed`. */
  readonly keptOfClosed: readonly string[];
  /** See `VerifyBundleOptions.mustReach`. */
  readonly mustReach: boolean;
  /** See `VerifyBundleOptions.onRecord`. */
  readonly onRecord: ((record: AuditRecord, hash: Uint8Array) => void) | undefined;
}

/** Checks the lines of one bundle in their order, and makes the report. */
export class BundleCheck {
  records = 0;
  /** Known from the header on. */
  #keys: TrustedKeys | undefined;
  readonly #trust: TrustSource;
  readonly #findings = new Findings();
  readonly #options: BundleCheckOptions;
  #checkpoints: BundleCheckpoints | undefined;
  #header: BundleHeader | undefined;
  #chain: ChainVerifier | undefined;
  #tree: TreeCheck | undefined;
  readonly #ranges = new CoveredRanges();
  #closedEpochs: ClosedEpochs | undefined;
  /** The records of a closed epoch follow, where set. `undefined` in it for an epoch that the chain did not close. */
  #closed: { readonly check: ClosedEpochCheck | undefined } | undefined;
  /** A record of an incomplete bundle. Its proof is on the next line. */
  #awaiting: string | undefined;
  #lastPosition = -1;
  #covered = 0;
  #head: string | null = null;

  constructor(options: BundleCheckOptions) {
    this.#trust = options.trust;
    this.#options = options;
  }

  get expected(): number {
    return this.#header === undefined ? 0 : this.#header.last - this.#header.first + 1;
  }

  /** The bundle's newest checkpoint. */
  get note(): string {
    return this.#checkpoints!.first!.note;
  }

  async take(entry: BundleEntry): Promise<void> {
    switch (entry.kind) {
      case 'header':
        this.#header = entry;
        this.#keys = await trustedKeys(
          entry.origin,
          this.#options.keys,
          this.#options.rotations,
          this.#findings,
        );
        this.#chain = new ChainVerifier({
          tenantId: entry.tenantId,
          origin: entry.origin,
          allowGaps: !entry.complete,
        });
        this.#closedEpochs = new ClosedEpochs(
          entry.tenantId,
          entry.origin,
          this.#options.keptOfClosed,
          this.#findings,
        );
        this.#checkpoints = new BundleCheckpoints(this.#keys, this.#options, this.#findings);
        if (entry.version < 3) await this.#checkpoints.readKept();
        return;
      case 'rotation':
        return await this.#keys!.follow(entry.rotation, this.#findings);
      case 'closed':
        this.#closed?.check?.finish();
        this.#closed = { check: this.#closedEpochs!.check(entry.epoch) };
        return;
      case 'checkpoint':
        return await this.#checkpoints!.take(entry.note);
      case 'key':
        return;
      case 'consistency':
        return this.#checkpoints!.takeConsistency(entry);
      case 'record':
        if (this.#closed !== undefined) this.#closed.check?.take({ text: entry.text });
        else if (this.#header!.complete) this.#takeRecord(entry.text, undefined);
        else this.#awaiting = entry.text;
        return;
      case 'proof':
        this.#takeRecord(this.#awaiting!, entry);
    }
  }

  #takeRecord(text: string, proof: Proof | undefined): void {
    const stored = proof === undefined ? { text } : { text, sequenceNumber: proof.index };
    const expected = this.#chain!.nextSequence;
    const { hash, record, findings } = this.#chain!.check(stored);
    for (const finding of findings) this.#findings.add(finding);
    if (record !== undefined) this.#options.onRecord?.(record, hash);
    const position = proof?.index ?? record?.sequence_number ?? expected;
    this.records++;
    this.#head = toHex(hash);
    this.#lastPosition = position;
    const { first } = this.#checkpoints!;
    if (first !== undefined && position < first.size) this.#covered++;
    if (proof === undefined) {
      if (record !== undefined && position === 0) this.#closedEpochs!.readFrom(record);
      this.#tree ??= new TreeCheck(this.#checkpoints!.compared(), this.#findings);
      this.#tree.append(hash);
    } else if (first !== undefined && first.signedBy.length > 0) {
      this.#ranges.add(proof.index);
      this.#checkInclusion(hash, proof, first);
    }
  }

  #checkInclusion(hash: Uint8Array, proof: Proof, first: JudgedCheckpoint): void {
    let root: Uint8Array | undefined;
    try {
      root = rootFromInclusion(proof.index, first.size, leafHash(hash), proof.hashes);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
    }
    if (root === undefined || !equalBytes(root, first.root)) {
      this.#findings.add({ code: 'CHECKPOINT_ROOT_MISMATCH', sequence_number: proof.index });
    }
  }

  report(): Report {
    const findings = this.#findings;
    const checkpoints = this.#checkpoints!;
    const first = checkpoints.first!;
    const header = this.#header!;
    findContradictions(checkpoints.compared(), findings);
    if (header.complete) {
      this.#tree ??= new TreeCheck(checkpoints.compared(), findings);
      const isOptional = (checkpoint: Checkpoint) =>
        !this.#options.mustReach && !checkpoints.isOwn(checkpoint);
      this.#tree.finish(this.#lastPosition + 1, isOptional);
    }
    this.#closed?.check?.finish();
    const closed = this.#closedEpochs!.report(this.#options.mustReach);
    const hasSignature = first.signedBy.length > 0;
    const isCovered = hasSignature && this.#covered > 0;
    const verdict = verdictOf({ isBroken: findings.count > 0, isCovered, epoch: header.epoch });
    if (verdict === 'not_verifiable') {
      findings.add(
        hasSignature
          ? { code: 'NOTHING_COVERED', sequence_number: null }
          : { code: 'CHECKPOINT_UNTRUSTED', sequence_number: lastCovered(first) },
      );
    }
    const trusted = isTrusted(verdict);
    const notCompared = this.#notCompared();
    const part = trusted && !header.complete ? this.#ranges.report(first.size) : undefined;
    return {
      verdict: part === undefined ? verdict : partVerdicts[verdict],
      ...part,
      tenant_id: header.tenantId,
      records: this.records,
      covered_to: trusted ? first.size - 1 : null,
      unsigned_tail: trusted && header.complete ? this.records - this.#covered : 0,
      head: this.#head,
      trust: { source: this.#trust, keys: first.signedBy },
      findings: findings.list,
      ...(closed !== undefined && { closed }),
      ...(this.#keys!.followed.length > 0 && { rotations: this.#keys!.followed }),
      ...(notCompared.length > 0 && { not_compared: notCompared }),
    };
  }

  /** Two signed statements that contradict each other. Call it after {@link report}. */
  equivocation(): Contradiction | undefined {
    return this.#checkpoints!.equivocation(this.#tree);
  }

  /**
   * Sizes of the checkpoints from outside that the bundle can't be compared with. A whole chain can't be compared with one
   * that covers more records. A part can be compared with one that a consistency proof links to its first checkpoint.
   */
  #notCompared(): number[] {
    const { complete } = this.#header!;
    const checkpoints = this.#checkpoints!;
    return checkpoints.sizesWithout((size) =>
      complete
        ? this.#options.mustReach || size <= (this.#tree?.size ?? 0)
        : checkpoints.isLinkedToFirst(size),
    );
  }

  /** The report on a file that cannot be read. Such a file proves nothing, so earlier findings are left out. */
  refused(error: BundleError): Report {
    return {
      verdict: 'not_verifiable',
      tenant_id: this.#header?.tenantId ?? null,
      records: 0,
      covered_to: null,
      unsigned_tail: 0,
      head: null,
      trust: { source: this.#trust, keys: [] },
      findings: [{ code: error.code, sequence_number: null, found: error.message }],
    };
  }
}
