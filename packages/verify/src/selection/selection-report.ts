import type { Finding, Findings, FollowedRotation, SelectionVerdict, TrustSource } from '../report.ts';

/** The result of verifying a selection. */
export interface SelectionReport {
  readonly verdict: SelectionVerdict;
  readonly tenant_id: string;
  /** Number of records that were read. It is the sum of the next four, unless a record came twice. */
  readonly records: number;
  /** Number of records whose bytes are in the signed tree. */
  readonly verified: number;
  /** Number of records whose hash is in the signed tree, and whose content the reader may not see. */
  readonly hash_only: number;
  /** Number of records after the checkpoint. Nothing about them was proven. */
  readonly newer_than_checkpoint: number;
  /** Number of records of epochs that the checkpoint does not cover. */
  readonly in_other_epochs: number;
  /** A selection never shows that no matching record was left out. */
  readonly omissions: 'not covered';
  /** Number of records that the checkpoint covers. */
  readonly checkpoint_size: number;
  readonly trust: { readonly source: TrustSource; readonly keys: readonly string[] };
  readonly findings: readonly Finding[];
  /** Rotations that led from a key of the caller to the keys after it, oldest first; absent where there are none. */
  readonly rotations?: readonly FollowedRotation[];
  /** Sizes of the caller's checkpoints that the selection could not be compared with; absent where there are none. */
  readonly not_compared?: readonly number[];
}

/** Findings that say that nothing was shown, and not that something is wrong. */
const notEvidence: ReadonlySet<string> = new Set(['CHECKPOINT_UNTRUSTED', 'NOTHING_COVERED']);

export function selectionVerdict({ list, count }: Findings, epoch: number): SelectionVerdict {
  if (list.some(({ code }) => !notEvidence.has(code))) return 'broken';
  if (count > 0) return 'not_verifiable';
  return epoch > 1 ? 'recovered_selection' : 'verified_selection';
}
