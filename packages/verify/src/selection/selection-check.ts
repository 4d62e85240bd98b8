import {
  type AuditRecord,
  equalBytes,
  fromHex,
  type KeyRotation,
  LogError,
  leafHash,
  MultiproofReader,
  type Origin,
  parseOrigin,
  readCanonicalRecord,
  sha256,
  toHex,
  type Verifier,
} from '@tallystick/log';
import {
  findContradictions,
  findEquivocation,
  type JudgedCheckpoint,
  judgeCheckpoint,
  lastCovered,
  readAccepted,
  readKept,
} from '../checkpoints.ts';
import { Findings, type TrustSource } from '../report.ts';
import { type TrustedKeys, trustedKeys } from '../trusted-keys.ts';
import { type SelectionReport, selectionVerdict } from './selection-report.ts';

/** What the verification of a selection trusts. */
export interface SelectionOptions {
  /** Verifier keys that the caller trusts. They must not come from what is verified. */
  readonly keys: readonly Verifier[];
  /** Rotations of the log's key, oldest first: those that the caller keeps, and those that come with the selection. */
  readonly rotations?: readonly KeyRotation[] | undefined;
  /** Where the keys came from; only reported. @defaultValue 'given', or 'none' without keys */
  readonly trust?: TrustSource | undefined;
  /** Signed notes of the same log that the caller got from elsewhere. A trusted key must have signed them. */
  readonly checkpoints?: readonly string[] | undefined;
  /** Signed notes of the same log that an earlier verification accepted. */
  readonly kept?: readonly string[] | undefined;
  /**
   * Whether the log must reach as far as what the caller kept. True for a running service; an old file is genuine.
   * @defaultValue false
   */
  readonly mustReach?: boolean | undefined;
  /** Called with two notes that contradict each other. Keep both: they are evidence against the log. */
  readonly onEquivocation?: ((first: string, second: string) => void) | undefined;
}

/** A record of a selection, or its hash where the reader may not see its content. */
export interface SelectedRecord {
  readonly epoch: number;
  /** Where the record is said to be. Its bytes must agree. */
  readonly sequence: number;
  /** The record's bytes. */
  readonly text?: string | undefined;
  /** Hash of the record, hex. With the bytes, it must be their hash; without them, it is what the proof is about. */
  readonly hash?: string | undefined;
  /** What is shown of the record where its bytes are withheld. */
  readonly withheld?: { readonly [member: string]: unknown } | undefined;
}

/**
 * Verifies records that a query selected from one log: any of them, in ascending order, with one multiproof to one checkpoint. It keeps
 * nothing of a record but its hash, so the selection can be of any size.
 *
 * A selection does not show that it is complete: records may have been left out.
 */
export class SelectionCheck {
  readonly checkpoint: JudgedCheckpoint;
  readonly findings = new Findings();
  readonly #origin: Origin;
  readonly #options: SelectionOptions;
  readonly #proof: MultiproofReader | undefined;
  #keys!: TrustedKeys;
  #kept: readonly JudgedCheckpoint[] = [];
  /** Set where the hashes do not fit the records: no root can be computed any more. */
  #isProofLost = false;
  #records = 0;
  #covered = 0;
  #hashOnly = 0;
  #newer = 0;
  #otherEpochs = 0;
  #last: { epoch: number; sequence: number; hash: string; ingestedAt: string | undefined } | undefined;

  private constructor(checkpoint: JudgedCheckpoint, options: SelectionOptions) {
    this.checkpoint = checkpoint;
    this.#origin = parseOrigin(checkpoint.origin);
    this.#options = options;
    this.#proof = checkpoint.size > 0 ? new MultiproofReader(checkpoint.size) : undefined;
  }

  /**
   * Reads the checkpoint and judges its signatures.
   *
   * @param origin of the log that the selection is said to be from
   * @param note the checkpoint
   * @throws {LogError} `NOTE_MALFORMED` or `CHECKPOINT_MALFORMED`, also for a checkpoint of another log; `NOTE_UNVERIFIED` for a
   *   checkpoint of the caller that no trusted key signed
   */
  static async open(origin: string, note: string, options: SelectionOptions): Promise<SelectionCheck> {
    const findings = new Findings();
    const keys = await trustedKeys(origin, options.keys, options.rotations ?? [], findings);
    if (keys.twoSuccessors !== undefined) options.onEquivocation?.(...keys.twoSuccessors);
    const checkpoint = await judgeCheckpoint(note, keys, findings);
    const kept = [
      ...readAccepted(options.kept ?? [], origin),
      ...(await readKept(options.checkpoints ?? [], keys, findings)),
    ];
    if (checkpoint.signedBy.length === 0 && findings.count === 0)
      findings.add({ code: 'CHECKPOINT_UNTRUSTED', sequence_number: lastCovered(checkpoint) });
    findContradictions([checkpoint, ...kept, ...keys.handovers], findings);
    const ahead = kept.find(({ size }) => size > checkpoint.size);
    if (options.mustReach === true && ahead !== undefined) {
      findings.add({
        code: 'HEAD_MISMATCH',
        sequence_number: lastCovered(ahead),
        expected: `the checkpoint of ${ahead.size} records, or a later one`,
        found: `the checkpoint of ${checkpoint.size} records`,
      });
    }
    const fork = findEquivocation([...kept, checkpoint]);
    if (fork !== undefined) options.onEquivocation?.(...fork);
    const check = new SelectionCheck(checkpoint, options);
    check.#keys = keys;
    check.#kept = kept;
    for (const finding of findings.list) check.findings.add(finding);
    return check;
  }

  /** Whether a place comes after all records that the checkpoint covers. */
  isBeyond(epoch: number, sequence: number): boolean {
    const current = this.#origin.epoch;
    return epoch > current || (epoch === current && sequence >= this.checkpoint.size);
  }

  /** How many hashes of the proof come before the record of this place. */
  hashesBefore(epoch: number, sequence: number): number {
    if (!this.#isInTree(epoch, sequence)) return 0;
    try {
      return this.#proof!.hashesBefore(sequence);
    } catch (error) {
      if (error instanceof LogError) return 0;
      throw error;
    }
  }

  /** How many hashes of the proof come after the last record. */
  hashesAfter(): number {
    return this.#covered + this.#hashOnly === 0 || this.#isProofLost ? 0 : this.#proof!.hashesAfter();
  }

  /**
   * Takes the next record.
   *
   * @param hashes those of the proof before the record, {@link hashesBefore} of them
   * @returns the record, where its bytes are a record of this log and place
   */
  add(selected: SelectedRecord, hashes: readonly Uint8Array[]): AuditRecord | undefined {
    const { epoch, sequence, text } = selected;
    this.#records++;
    if (this.#last !== undefined && comparePlaces(this.#last, selected) >= 0) {
      this.findings.add({
        code: 'SEQUENCE_DUPLICATE',
        sequence_number: sequence,
        found: 'a record twice, or out of order',
      });
      return undefined;
    }
    const hash = text === undefined ? fromHex(selected.hash ?? '') : sha256(new TextEncoder().encode(text));
    const record = text === undefined ? undefined : this.#read(selected, text, hash!);
    if (hash?.length !== 32) {
      this.findings.add({ code: 'RECORD_HASH_MISMATCH', sequence_number: sequence, found: 'no hash' });
      this.#isProofLost = true;
    } else {
      this.#compareNeighbours(selected, record);
      this.#compareWithheld(selected);
      this.#prove(selected, hash, hashes);
    }
    this.#last = {
      epoch,
      sequence,
      hash: hash === undefined ? '' : toHex(hash),
      ingestedAt: record?.ingested_at,
    };
    return record;
  }

  /**
   * Counts bytes that are not a record. It is not known which leaf they are, so the proof can't be checked for any record.
   *
   * @param where they are, for people
   */
  skip(where: string): void {
    this.#records++;
    this.#isProofLost = true;
    this.findings.add({ code: 'RECORD_NOT_CANONICAL', sequence_number: null, found: where });
  }

  /**
   * The verdict.
   *
   * @param hashes those of the proof after the last record, {@link hashesAfter} of them
   */
  finish(hashes: readonly Uint8Array[]): SelectionReport {
    const { size, signedBy, root } = this.checkpoint;
    const inTree = this.#covered + this.#hashOnly;
    if (inTree > 0 && !this.#isProofLost) {
      try {
        if (!equalBytes(this.#proof!.finish(hashes), root)) this.#rootMismatch('another root');
      } catch (error) {
        if (!(error instanceof LogError)) throw error;
        this.#rootMismatch(error.message);
      }
    }
    const isTrusted = signedBy.length > 0;
    if (isTrusted && inTree === 0 && this.findings.count === 0)
      this.findings.add({ code: 'NOTHING_COVERED', sequence_number: null });
    const notCompared = this.#kept.map((kept) => kept.size).filter((kept) => kept !== size);
    const { keys, trust } = this.#options;
    return {
      verdict: selectionVerdict(this.findings, this.#origin.epoch),
      tenant_id: this.#origin.tenantId,
      records: this.#records,
      verified: this.#covered,
      hash_only: this.#hashOnly,
      newer_than_checkpoint: this.#newer,
      in_other_epochs: this.#otherEpochs,
      omissions: 'not covered',
      checkpoint_size: size,
      trust: { source: trust ?? (keys.length > 0 ? 'given' : 'none'), keys: signedBy },
      findings: this.findings.list,
      ...(this.#keys.followed.length > 0 && { rotations: this.#keys.followed }),
      ...(notCompared.length > 0 && { not_compared: [...new Set(notCompared)] }),
    };
  }

  #isInTree(epoch: number, sequence: number): boolean {
    return epoch === this.#origin.epoch && sequence < this.checkpoint.size;
  }

  /** Reads the bytes, and compares them with the place and the hash that are said to be theirs. */
  #read({ sequence, hash: shown }: SelectedRecord, text: string, hash: Uint8Array): AuditRecord | undefined {
    const { tenantId } = this.#origin;
    const find = (code: 'RECORD_NOT_CANONICAL' | 'SEQUENCE_GAP' | 'TENANT_MISMATCH', found?: string) => {
      this.findings.add({ code, sequence_number: sequence, ...(found !== undefined && { found }) });
      return undefined;
    };
    if (shown !== undefined && shown !== toHex(hash)) {
      this.findings.add({
        code: 'RECORD_HASH_MISMATCH',
        sequence_number: sequence,
        found: 'bytes with another hash than the one that is shown',
      });
    }
    const record = readCanonicalRecord(text);
    if (record === undefined) return find('RECORD_NOT_CANONICAL');
    if (record.sequence_number !== sequence)
      return find('SEQUENCE_GAP', `the record of ${record.sequence_number}`);
    if (record.tenant_id !== tenantId || record.event.tenant_id !== tenantId)
      return find('TENANT_MISMATCH', 'a record of another tenant');
    return record;
  }

  /** Consecutive records are linked by their hashes, and a later one is not older. */
  #compareNeighbours({ epoch, sequence }: SelectedRecord, record: AuditRecord | undefined): void {
    const last = this.#last;
    if (record === undefined || last === undefined || last.epoch !== epoch) return;
    if (last.sequence === sequence - 1 && record.previous_hash !== last.hash)
      this.findings.add({ code: 'CHAIN_LINK_BROKEN', sequence_number: sequence });
    if (last.ingestedAt !== undefined && record.ingested_at < last.ingestedAt)
      this.findings.add({ code: 'TIME_REGRESSION', sequence_number: sequence });
  }

  /** What is shown of a record without its bytes must at least fit the log and the record before it. */
  #compareWithheld({ epoch, sequence, withheld = {} }: SelectedRecord): void {
    const { tenant_id, previous_hash } = withheld;
    if (tenant_id !== undefined && tenant_id !== this.#origin.tenantId)
      this.findings.add({
        code: 'TENANT_MISMATCH',
        sequence_number: sequence,
        found: 'a record of another tenant',
      });
    const isNext = this.#last?.epoch === epoch && this.#last.sequence === sequence - 1;
    if (isNext && previous_hash !== undefined && previous_hash !== this.#last?.hash)
      this.findings.add({ code: 'CHAIN_LINK_BROKEN', sequence_number: sequence });
  }

  #prove({ epoch, sequence, text }: SelectedRecord, hash: Uint8Array, hashes: readonly Uint8Array[]): void {
    if (!this.#isInTree(epoch, sequence)) {
      if (epoch === this.#origin.epoch) this.#newer++;
      else this.#otherEpochs++;
      return;
    }
    if (text === undefined) this.#hashOnly++;
    else this.#covered++;
    if (this.#isProofLost) return;
    try {
      this.#proof!.add(sequence, leafHash(hash), hashes);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#rootMismatch(error.message);
    }
  }

  #rootMismatch(found: string): void {
    this.#isProofLost = true;
    const sequence_number = lastCovered(this.checkpoint);
    this.findings.add({ code: 'CHECKPOINT_ROOT_MISMATCH', sequence_number, found });
  }
}

function comparePlaces(
  a: { readonly epoch: number; readonly sequence: number },
  b: { readonly epoch: number; readonly sequence: number },
): number {
  return a.epoch - b.epoch || a.sequence - b.sequence;
}
