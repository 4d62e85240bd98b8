import {
  type AuditRecord,
  fromHex,
  type Origin,
  parseOrigin,
  readCanonicalRecord,
  sha256,
  toHex,
} from '@tallystick/log';
import type { JudgedCheckpoint } from '../checkpoints.ts';
import { Findings } from '../report.ts';
import {
  judgeSelectionCheckpoint,
  type SelectionCheckpoint,
  type SelectionOptions,
} from './selection-checkpoint.ts';
import { SelectionProof } from './selection-proof.ts';
import { type SelectionReport, selectionVerdict } from './selection-report.ts';

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
  readonly findings: Findings;
  readonly #origin: Origin;
  readonly #options: SelectionOptions;
  readonly #judged: SelectionCheckpoint;
  readonly #proof: SelectionProof;
  #records = 0;
  #verified = 0;
  #hashOnly = 0;
  #newer = 0;
  #otherEpochs = 0;
  #last: { epoch: number; sequence: number; hash: string; ingestedAt: string | undefined } | undefined;

  private constructor(judged: SelectionCheckpoint, findings: Findings, options: SelectionOptions) {
    this.#judged = judged;
    this.findings = findings;
    this.#options = options;
    this.#origin = parseOrigin(judged.checkpoint.origin);
    this.#proof = new SelectionProof(judged.checkpoint, findings);
  }

  /**
   * Reads the checkpoint and judges its signatures.
   *
   * @param origin of the log that the selection is said to be from
   * @param note the checkpoint
   * @throws {LogError} as {@link judgeSelectionCheckpoint}
   */
  static async open(origin: string, note: string, options: SelectionOptions): Promise<SelectionCheck> {
    const findings = new Findings();
    const judged = await judgeSelectionCheckpoint(origin, note, options, findings);
    return new SelectionCheck(judged, findings, options);
  }

  get checkpoint(): JudgedCheckpoint {
    return this.#judged.checkpoint;
  }

  /** Whether a place comes after all records that the checkpoint covers. */
  isBeyond(epoch: number, sequence: number): boolean {
    const current = this.#origin.epoch;
    return epoch > current || (epoch === current && sequence >= this.checkpoint.size);
  }

  /** How many hashes of the proof come before the record of this place. */
  hashesBefore(epoch: number, sequence: number): number {
    return this.#isInTree(epoch, sequence) ? this.#proof.hashesBefore(sequence) : 0;
  }

  /** How many hashes of the proof come after the last record. */
  hashesAfter(): number {
    return this.#proof.hashesAfter();
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
      this.#proof.lose();
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
    this.#proof.lose();
    this.findings.add({ code: 'RECORD_NOT_CANONICAL', sequence_number: null, found: where });
  }

  /**
   * The verdict.
   *
   * @param hashes those of the proof after the last record, {@link hashesAfter} of them
   */
  finish(hashes: readonly Uint8Array[]): SelectionReport {
    this.#proof.finish(hashes);
    const { keys, kept } = this.#judged;
    const { size, signedBy } = this.checkpoint;
    const isProven = this.#verified + this.#hashOnly > 0;
    if (signedBy.length > 0 && !isProven && this.findings.count === 0)
      this.findings.add({ code: 'NOTHING_COVERED', sequence_number: null });
    const notCompared = kept.map((one) => one.size).filter((one) => one !== size);
    const source = this.#options.trust ?? (this.#options.keys.length > 0 ? 'given' : 'none');
    return {
      verdict: selectionVerdict(this.findings, this.#origin.epoch),
      tenant_id: this.#origin.tenantId,
      records: this.#records,
      verified: this.#verified,
      hash_only: this.#hashOnly,
      newer_than_checkpoint: this.#newer,
      in_other_epochs: this.#otherEpochs,
      omissions: 'not covered',
      checkpoint_size: size,
      trust: { source, keys: signedBy },
      findings: this.findings.list,
      ...(keys.followed.length > 0 && { rotations: keys.followed }),
      ...(notCompared.length > 0 && { not_compared: [...new Set(notCompared)] }),
    };
  }

  /** Hashes of the proof are left after {@link hashesAfter} of them. Call it before {@link finish}. */
  refuseRestOfProof(): void {
    this.#proof.refuseRest();
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
    else this.#verified++;
    this.#proof.add(sequence, hash, hashes);
  }
}

function comparePlaces(
  a: { readonly epoch: number; readonly sequence: number },
  b: { readonly epoch: number; readonly sequence: number },
): number {
  return a.epoch - b.epoch || a.sequence - b.sequence;
}
