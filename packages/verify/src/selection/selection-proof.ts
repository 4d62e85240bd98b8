import { equalBytes, LogError, leafHash, MultiproofReader } from '@tallystick/log';
import { type JudgedCheckpoint, lastCovered } from '../checkpoints.ts';
import type { FindingSink } from '../report.ts';

/** The multiproof of a selection: it leads from the hashes of the records to the root of the checkpoint. It is read from left to right. */
export class SelectionProof {
  readonly #checkpoint: JudgedCheckpoint;
  readonly #findings: FindingSink;
  readonly #reader: MultiproofReader | undefined;
  #proven = 0;
  /** Set where the hashes do not fit the records: no root can be computed any more. */
  #isLost = false;

  constructor(checkpoint: JudgedCheckpoint, findings: FindingSink) {
    this.#checkpoint = checkpoint;
    this.#findings = findings;
    this.#reader = checkpoint.size > 0 ? new MultiproofReader(checkpoint.size) : undefined;
  }

  /** How many hashes come before the record of this place; 0 where no record can come. */
  hashesBefore(sequence: number): number {
    try {
      return this.#reader!.hashesBefore(sequence);
    } catch (error) {
      if (error instanceof LogError) return 0;
      throw error;
    }
  }

  /** How many hashes come after the last record. */
  hashesAfter(): number {
    return this.#proven === 0 || this.#isLost ? 0 : this.#reader!.hashesAfter();
  }

  /**
   * Takes the next record that the checkpoint covers.
   *
   * @param hash of the record
   * @param hashes those before it
   */
  add(sequence: number, hash: Uint8Array, hashes: readonly Uint8Array[]): void {
    this.#proven++;
    if (this.#isLost) return;
    try {
      this.#reader!.add(sequence, leafHash(hash), hashes);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#mismatch(error.message);
    }
  }

  /** The hash of a record is not known, so nothing can be proven about any record. That is reported already. */
  lose(): void {
    this.#isLost = true;
  }

  /** @param hashes those after the last record */
  finish(hashes: readonly Uint8Array[]): void {
    if (this.#proven === 0 || this.#isLost) return;
    try {
      if (!equalBytes(this.#reader!.finish(hashes), this.#checkpoint.root)) this.#mismatch('another root');
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#mismatch(error.message);
    }
  }

  /** Hashes are left that belong to no record. After a record without a known hash it can't be said which these are. */
  refuseRest(): void {
    if (!this.#isLost) this.#mismatch('hashes that belong to no record');
  }

  #mismatch(found: string): void {
    this.#isLost = true;
    const sequence_number = lastCovered(this.#checkpoint);
    this.#findings.add({ code: 'CHECKPOINT_ROOT_MISMATCH', sequence_number, found });
  }
}
