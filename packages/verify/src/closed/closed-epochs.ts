import { type AuditRecord, type ClosedEpoch, LogError, readClosedEpochs } from '@tallystick/log';
import { findContradictions, type JudgedCheckpoint, lastCovered, readAccepted } from '../checkpoints.ts';
import type { ClosedEpochReport, FindingSink, SequenceRange } from '../report.ts';
import { ClosedEpochCheck, genesisOf } from './closed-epoch-check.ts';

/** Most ranges in a report. */
const maxRanges = 1_000;

/** The epochs that the genesis record of a chain closes, and the checks of their records. */
export class ClosedEpochs {
  readonly #tenantId: string;
  readonly #origin: string;
  readonly #kept: readonly string[];
  readonly #findings: FindingSink;
  /** Newest first; `undefined` where the chain closed none, or its genesis record was not read. */
  #stated: readonly ClosedEpoch[] | undefined;
  readonly #checks = new Map<number, ClosedEpochCheck>();

  /** @param kept signed notes of closed epochs that earlier verifications accepted */
  constructor(tenantId: string, origin: string, kept: readonly string[], findings: FindingSink) {
    this.#tenantId = tenantId;
    this.#origin = origin;
    this.#kept = kept;
    this.#findings = findings;
  }

  /** Newest first; empty before {@link readFrom}. */
  get stated(): readonly ClosedEpoch[] {
    return this.#stated ?? [];
  }

  /** Reads what the genesis record of the chain says. What is wrong with the record otherwise is reported by its own check. */
  readFrom(genesis: AuditRecord): void {
    const bound = genesisOf(genesis, this.#origin);
    // Of two records at position 0, which the check of the chain reports, the first counts.
    if (bound === undefined || this.#stated !== undefined) return;
    try {
      this.#stated = readClosedEpochs(bound.recovery, this.#origin);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#findings.add({ code: 'GENESIS_INVALID', sequence_number: 0 });
    }
    for (const closed of this.stated) this.#compareKept(closed);
  }

  /** An epoch that is closed below a kept checkpoint, or with another root, hides records that were signed. */
  #compareKept({ epoch, checkpoint }: ClosedEpoch): void {
    const findings: FindingSink = { add: (finding) => this.#findings.add({ ...finding, epoch }) };
    const kept = this.#keptOf(checkpoint.origin);
    for (const { size } of kept) {
      if (size <= checkpoint.size) continue;
      findings.add({
        code: 'CHECKPOINT_INCONSISTENT',
        sequence_number: lastCovered({ size }),
        expected: `${size} records`,
        found: `${checkpoint.size}`,
      });
    }
    findContradictions([checkpoint, ...kept], findings);
  }

  #keptOf(origin: string): JudgedCheckpoint[] {
    return readAccepted(
      this.#kept.filter((note) => note.startsWith(`${origin}\n`)),
      origin,
    );
  }

  /**
   * Begins the check of the records of an epoch.
   *
   * @returns `undefined` for an epoch that the chain did not close: its records are strays
   */
  check(epoch: number): ClosedEpochCheck | undefined {
    const at = this.stated.findIndex((closed) => closed.epoch === epoch);
    const stated = this.stated[at];
    if (stated === undefined) {
      this.#findings.add({ code: 'STRAY_ROW', sequence_number: null, epoch });
      return undefined;
    }
    const { origin } = stated.checkpoint;
    const check = new ClosedEpochCheck({
      tenantId: this.#tenantId,
      stated,
      older: this.stated.slice(at + 1),
      kept: this.#keptOf(origin),
      findings: this.#findings,
    });
    this.#checks.set(epoch, check);
    return check;
  }

  /**
   * What became of each closed epoch; `undefined` where the chain closed none.
   *
   * @param mustHoldAll whether an epoch whose records were not read is a finding
   */
  report(mustHoldAll: boolean): readonly ClosedEpochReport[] | undefined {
    return this.#stated?.map(({ epoch, checkpoint, left }) => {
      const check = this.#checks.get(epoch);
      if (check === undefined && mustHoldAll) {
        this.#findings.add({ code: 'CLOSED_EPOCH_MISSING', sequence_number: null, epoch });
      }
      return {
        epoch,
        origin: checkpoint.origin,
        signed: checkpoint.size,
        records: check === undefined ? null : check.records,
        ...lostOf(left, checkpoint.size),
      };
    });
  }
}

/** The positions below `size` that no range contains. */
function lostOf(
  left: ClosedEpoch['left'],
  size: number,
): { readonly lost: readonly SequenceRange[]; readonly lost_records: number } {
  const lost: SequenceRange[] = [];
  let next = 0;
  let count = 0;
  const add = (end: number) => {
    if (end <= next) return;
    count += end - next;
    if (lost.length < maxRanges) lost.push([next, end - 1]);
  };
  for (const { first, last } of left) {
    add(Math.min(first, size));
    next = last + 1;
  }
  add(size);
  return { lost, lost_records: count };
}
