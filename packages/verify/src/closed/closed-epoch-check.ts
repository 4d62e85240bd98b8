import {
  type AuditRecord,
  ChainVerifier,
  type ClosedEpoch,
  LogError,
  readClosedEpochs,
  readGenesis,
  type StoredRecord,
} from '@tallystick/log';
import type { JudgedCheckpoint } from '../checkpoints.ts';
import type { FindingSink } from '../report.ts';
import { LeftRangesCheck } from './left-ranges-check.ts';

/** What a {@link ClosedEpochCheck} compares the records with. */
export interface ClosedEpochOptions {
  readonly tenantId: string;
  readonly stated: ClosedEpoch;
  /** What is stated about the epochs before this one. */
  readonly older: readonly ClosedEpoch[];
  /** Checkpoints of the epoch that earlier verifications accepted. */
  readonly kept: readonly JudgedCheckpoint[];
  /** Findings get the epoch. */
  readonly findings: FindingSink;
}

/**
 * Checks the records of one closed epoch. Its last signed checkpoint and the records that were left when it was closed are
 * stated in the genesis record of the current epoch, and the current checkpoint covers that record. So nobody can change a
 * closed epoch afterwards unseen, not even the records after the newest checkpoint that is still complete.
 */
export class ClosedEpochCheck {
  readonly #options: ClosedEpochOptions;
  readonly #chain: ChainVerifier;
  readonly #ranges: LeftRangesCheck;
  readonly #findings: FindingSink;
  #records = 0;

  constructor(options: ClosedEpochOptions) {
    const { tenantId, stated, kept, findings } = options;
    this.#options = options;
    this.#findings = { add: (finding) => findings.add({ ...finding, epoch: stated.epoch }) };
    this.#chain = new ChainVerifier({ tenantId, origin: stated.checkpoint.origin, allowGaps: true });
    const checkpoints = [stated.checkpoint, ...kept.filter(({ size }) => size < stated.checkpoint.size)];
    this.#ranges = new LeftRangesCheck(stated.left, checkpoints, this.#findings);
  }

  get records(): number {
    return this.#records;
  }

  /** One past the last position that the epoch has: signed, or left when it was closed. */
  get end(): number {
    const { checkpoint, left } = this.#options.stated;
    return Math.max(checkpoint.size, (left.at(-1)?.last ?? -1) + 1);
  }

  /**
   * Checks the next record.
   *
   * @param onLeft receives the hash of a record that was left when the epoch was closed
   * @returns its content, where its bytes are a canonical record
   */
  take(stored: StoredRecord, onLeft?: (hash: Uint8Array) => void): AuditRecord | undefined {
    const expected = this.#chain.nextSequence;
    const { hash, record, findings } = this.#chain.check(stored);
    for (const finding of findings) this.#findings.add(finding);
    const position = stored.sequenceNumber ?? record?.sequence_number ?? expected;
    this.#records++;
    if (this.#ranges.take(position, hash)) onLeft?.(hash);
    if (record !== undefined && position === 0) this.#compareOlder(record);
    return record;
  }

  finish(): void {
    this.#ranges.finish();
  }

  /** The genesis record of a closed epoch says the same about the epochs before it as the newest one. */
  #compareOlder(record: AuditRecord): void {
    const { stated, older } = this.#options;
    const bound = genesisOf(record, stated.checkpoint.origin);
    if (bound === undefined) return;
    let own: readonly ClosedEpoch[] | undefined;
    try {
      own = readClosedEpochs(bound.recovery, stated.checkpoint.origin);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#findings.add({ code: 'GENESIS_INVALID', sequence_number: 0 });
      return;
    }
    if (own !== undefined && textOf(own) !== textOf(older)) {
      this.#findings.add({ code: 'CLOSED_EPOCHS_RESTATED', sequence_number: 0 });
    }
  }
}

/** What the genesis record of a chain says; `undefined` where the record is not one. The check of the chain reports that. */
export function genesisOf(record: AuditRecord, origin: string): ReturnType<typeof readGenesis> | undefined {
  try {
    const bound = readGenesis(record);
    return bound.origin === origin ? bound : undefined;
  } catch {
    return undefined;
  }
}

function textOf(epochs: readonly ClosedEpoch[]): string {
  return JSON.stringify(
    epochs.map(({ note, left }) => [note, left.map(({ first, last, root }) => [first, last, [...root]])]),
  );
}
