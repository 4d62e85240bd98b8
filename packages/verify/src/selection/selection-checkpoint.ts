import type { KeyRotation, Verifier } from '@tallystick/log';
import {
  findContradictions,
  findEquivocation,
  type JudgedCheckpoint,
  judgeCheckpoint,
  lastCovered,
  readAccepted,
  readKept,
} from '../checkpoints.ts';
import type { Findings, TrustSource } from '../report.ts';
import { type TrustedKeys, trustedKeys } from '../trusted-keys.ts';

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

/** The checkpoint of a selection, and what it was judged with. */
export interface SelectionCheckpoint {
  readonly checkpoint: JudgedCheckpoint;
  readonly keys: TrustedKeys;
  /** The checkpoints of the caller. */
  readonly kept: readonly JudgedCheckpoint[];
}

/**
 * Judges the signatures of a selection's checkpoint, and compares it with the checkpoints of the caller.
 *
 * @param origin of the log that the selection is said to be from
 * @param note the checkpoint
 * @throws {LogError} `NOTE_MALFORMED` or `CHECKPOINT_MALFORMED`, also for a checkpoint of another log; `NOTE_UNVERIFIED` for a
 *   checkpoint of the caller that no trusted key signed
 */
export async function judgeSelectionCheckpoint(
  origin: string,
  note: string,
  options: SelectionOptions,
  findings: Findings,
): Promise<SelectionCheckpoint> {
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
  return { checkpoint, keys, kept };
}
