import {
  ChainVerifier,
  equalBytes,
  LogError,
  leafHash,
  parseVerifierKey,
  rootFromInclusion,
  toHex,
  type Verifier,
  verifyConsistency,
} from '@tallystick/log';
import {
  distinct,
  findContradictions,
  type JudgedCheckpoint,
  judgeCheckpoint,
  lastCovered,
  readKept,
} from '../checkpoints.ts';
import { Findings, isVouched, type Report, type TrustSource } from '../report.ts';
import { TreeCheck } from '../tree-check.ts';
import { BundleError } from './bundle-error.ts';
import { gunzipIfNeeded } from './lines.ts';
import { type BundleEntry, type BundleHeader, readBundle } from './read.ts';

/** What a bundle is held against. */
export interface VerifyBundleOptions {
  /** Verifier keys that the caller trusts, never taken from the bundle. */
  readonly keys: readonly (string | Verifier)[];
  /**
   * Signed notes that the caller kept from earlier, of the same log: a genuine but older bundle than these is found out,
   * and so is a rewritten one that is signed with the right key. A bundle of some records shows less: only whether its own
   * checkpoints contradict these.
   */
  readonly checkpoints?: readonly string[];
  /** Where they came from; only reported. @defaultValue 'given', or 'none' without keys */
  readonly trust?: TrustSource;
  /** Told, where the verdict is `verified` or `recovered`, the note that it stands on: worth keeping for the next time. */
  readonly onVouched?: (note: string) => void;
  /** Told how many records have been read, now and then. */
  readonly onProgress?: (records: number, expected: number) => void;
}

/**
 * Verifies a bundle (spec/bundle.md), plain or gzipped, as a stream: memory is bounded by the longest line.
 *
 * @throws {LogError} `KEY_MALFORMED` for a key that is none; `NOTE_MALFORMED`, `CHECKPOINT_MALFORMED` or `NOTE_UNVERIFIED` for a
 *   kept checkpoint. What the bundle holds is never thrown, always reported.
 */
export async function verifyBundle(
  source: AsyncIterable<Uint8Array>,
  options: VerifyBundleOptions,
): Promise<Report> {
  const keys = options.keys.map((key) => (typeof key === 'string' ? parseVerifierKey(key) : key));
  const trust = options.trust ?? (keys.length > 0 ? 'given' : 'none');
  const check = new BundleCheck(keys, trust, options.checkpoints ?? []);
  try {
    for await (const entry of readBundle(gunzipIfNeeded(source))) {
      await check.take(entry);
      if (entry.kind === 'record' && check.records % 1_000 === 0)
        options.onProgress?.(check.records, check.expected);
    }
    const report = check.report();
    if (isVouched(report.verdict)) options.onVouched?.(check.note);
    return report;
  } catch (error) {
    if (error instanceof BundleError) return check.refused(error);
    throw error;
  }
}

class BundleCheck {
  records = 0;
  readonly #keys: readonly Verifier[];
  readonly #trust: TrustSource;
  readonly #findings = new Findings();
  readonly #keptNotes: readonly string[];
  #kept: readonly JudgedCheckpoint[] = [];
  /** Those of the bundle. */
  readonly #checkpoints: JudgedCheckpoint[] = [];
  #header: BundleHeader | undefined;
  #chain: ChainVerifier | undefined;
  #tree: TreeCheck | undefined;
  /** A record of an incomplete bundle that waits for its proof. */
  #awaiting: string | undefined;
  #lastPosition = -1;
  #covered = 0;
  #head: string | null = null;

  constructor(keys: readonly Verifier[], trust: TrustSource, keptNotes: readonly string[]) {
    this.#keys = keys;
    this.#trust = trust;
    this.#keptNotes = keptNotes;
  }

  get expected(): number {
    return this.#header === undefined ? 0 : this.#header.last - this.#header.first + 1;
  }

  /** What the bundle stands on. */
  get note(): string {
    return this.#checkpoints[0]!.note;
  }

  async take(entry: BundleEntry): Promise<void> {
    switch (entry.kind) {
      case 'header':
        this.#header = entry;
        this.#kept = await readKept(this.#keptNotes, entry.origin, this.#keys, this.#findings);
        this.#chain = new ChainVerifier({
          tenantId: entry.tenantId,
          origin: entry.origin,
          allowGaps: !entry.complete,
        });
        return;
      case 'checkpoint':
        return await this.#takeCheckpoint(entry.note);
      case 'consistency':
        return this.#takeConsistency(entry);
      case 'record':
        if (this.#header!.complete) this.#takeRecord(entry.text, undefined);
        else this.#awaiting = entry.text;
        return;
      case 'proof':
        this.#takeRecord(this.#awaiting!, entry);
    }
  }

  async #takeCheckpoint(note: string): Promise<void> {
    let checkpoint: JudgedCheckpoint;
    try {
      checkpoint = await judgeCheckpoint(note, this.#header!.origin, this.#keys, this.#findings);
    } catch (cause) {
      if (cause instanceof LogError) throw new BundleError('BUNDLE_DAMAGED', cause.message, { cause });
      throw cause;
    }
    const before = this.#checkpoints.at(-1);
    if (before !== undefined && checkpoint.size > before.size) {
      throw new BundleError('BUNDLE_DAMAGED', 'checkpoints must stand newest first');
    }
    this.#checkpoints.push(checkpoint);
  }

  #takeConsistency(proof: Extract<BundleEntry, { kind: 'consistency' }>): void {
    const named = (size: number) => this.#checkpoints.filter((checkpoint) => checkpoint.size === size);
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
    } catch {
      this.#findings.add({ code: 'CHECKPOINT_INCONSISTENT', sequence_number: lastCovered(to) });
    }
  }

  #takeRecord(text: string, proof: Extract<BundleEntry, { kind: 'proof' }> | undefined): void {
    const stored = proof === undefined ? { text } : { text, sequenceNumber: proof.index };
    const expected = this.#chain!.nextSequence;
    const { hash, record, findings } = this.#chain!.check(stored);
    for (const finding of findings) this.#findings.add(finding);
    const position = proof?.index ?? record?.sequence_number ?? expected;
    this.records++;
    this.#head = toHex(hash);
    this.#lastPosition = position;
    const first = this.#checkpoints[0];
    if (first !== undefined && position < first.size) this.#covered++;
    if (proof === undefined) {
      this.#tree ??= new TreeCheck(this.#trusted(), this.#findings);
      this.#tree.append(hash);
    } else if (first !== undefined && first.signedBy.length > 0) {
      this.#checkInclusion(hash, proof, first);
    }
  }

  #checkInclusion(
    hash: Uint8Array,
    proof: Extract<BundleEntry, { kind: 'proof' }>,
    first: JudgedCheckpoint,
  ): void {
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

  #trusted(): JudgedCheckpoint[] {
    const own = this.#checkpoints.filter((checkpoint) => checkpoint.signedBy.length > 0);
    return this.#kept.length === 0 ? own : distinct([...own, ...this.#kept]);
  }

  report(): Report {
    const findings = this.#findings;
    const first = this.#checkpoints[0]!;
    const header = this.#header!;
    findContradictions(this.#trusted(), findings);
    if (header.complete) {
      this.#tree ??= new TreeCheck(this.#trusted(), findings);
      this.#tree.finish(this.#lastPosition + 1);
    }
    let verdict: Report['verdict'];
    if (findings.count > 0) verdict = 'broken';
    else if (first.signedBy.length === 0) {
      verdict = 'not_verifiable';
      findings.add({ code: 'CHECKPOINT_UNTRUSTED', sequence_number: lastCovered(first) });
    } else if (this.#covered === 0) {
      verdict = 'not_verifiable';
      findings.add({ code: 'NOTHING_COVERED', sequence_number: null });
    } else verdict = header.epoch > 1 ? 'recovered' : 'verified';
    const vouched = isVouched(verdict);
    return {
      verdict,
      tenant_id: header.tenantId,
      records: this.records,
      covered_to: vouched ? first.size - 1 : null,
      unsigned_tail: vouched && header.complete ? this.records - this.#covered : 0,
      head: this.#head,
      trust: { source: this.#trust, keys: first.signedBy },
      findings: findings.list,
    };
  }

  /** A file that can't be read is evidence of nothing, whatever else was noticed on the way. */
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
