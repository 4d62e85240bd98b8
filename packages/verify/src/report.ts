import type { ChainFindingCode } from '@tallystick/log';

/** Everything that a verification can find. Codes keep their meaning within a major version. */
export type FindingCode =
  | ChainFindingCode
  /** A column beside a record differs from the record: queries miss the record, or return it wrongly. */
  | 'COLUMN_MISMATCH'
  /** A row of the field index differs from its record, or is missing, or has no record: filters miss the record. */
  | 'INDEX_MISMATCH'
  /** The hourly counts of the records differ from the records: the service answers with wrong numbers. */
  | 'COUNT_MISMATCH'
  /** A stored tile does not match the records' hashes: proofs from it fail. */
  | 'TILE_MISMATCH'
  /** The store has a row that does not belong to the chain: beyond its end, or in an epoch that it never had. */
  | 'STRAY_ROW'
  /** The records of a closed epoch are not those that it had when it was closed. */
  | 'CLOSED_RECORDS_CHANGED'
  /** Two genesis records of one tenant say different things about an epoch that was closed before both. */
  | 'CLOSED_EPOCHS_RESTATED'
  /** The records of a closed epoch were not shown. */
  | 'CLOSED_EPOCH_MISSING'
  /** The chain ends before its head, or before a checkpoint: the newest records are missing. */
  | 'HEAD_MISMATCH'
  /** A list, a filter or a look-up of the service does not show what the verified records say. */
  | 'LIST_MISMATCH'
  /** The service has no trail of a tenant whose trail was verified there before. */
  | 'LOG_MISSING'
  /** The records' tree does not have the root of a checkpoint. */
  | 'CHECKPOINT_ROOT_MISMATCH'
  | 'CHECKPOINT_SIGNATURE_INVALID'
  /** A key signed the checkpoint after it was rotated out: it is beyond the last one that the key signed. */
  | 'CHECKPOINT_KEY_RETIRED'
  /** A rotation of a trusted key is not signed by both keys, names a wrong checkpoint, or gives the key a second successor. */
  | 'KEY_ROTATION_INVALID'
  /** Two checkpoints contradict each other. */
  | 'CHECKPOINT_INCONSISTENT'
  /** No trusted key signed the checkpoint that the verification depends on. */
  | 'CHECKPOINT_UNTRUSTED'
  /** No trusted checkpoint covers any of the records. */
  | 'NOTHING_COVERED'
  /** A dead letter differs from the service's records of it, or has none, or is missing. */
  | 'DEAD_LETTER_MISMATCH'
  /** An API key differs from the service's records of it, or has none, or is missing. */
  | 'API_KEY_MISMATCH'
  /** A blocked subject differs from the service's records of it, or has none, or is not blocked any more without one. */
  | 'SUBJECT_MISMATCH'
  /** A column of an approval differs from the service's records of it, or the approval has no record, or its row is missing. */
  | 'APPROVAL_MISMATCH'
  /** Minimum rules of approvals differ from the service's records of them, or have none, or their row is missing. */
  | 'APPROVAL_RULES_MISMATCH'
  /** An operation with an idempotency key differs from the service's records of it, or has none, or its row is missing. */
  | 'OPERATION_MISMATCH'
  /** The account of a producer is not what the records say. */
  | 'PRODUCER_ACCOUNT_MISMATCH'
  /** A line of an exported table is not what its record says. */
  | 'LINE_CHANGED'
  /** A record of an export has no line in its table. */
  | 'LINE_MISSING'
  /** A line of an exported table belongs to none of its records. */
  | 'LINE_ADDED'
  /** An export does not have the number of records that it states, or has one after the last record of its checkpoint. */
  | 'MANIFEST_MISMATCH'
  | 'BUNDLE_TRUNCATED'
  | 'BUNDLE_DAMAGED'
  | 'BUNDLE_UNSUPPORTED'
  /** The receipt can't be read, or contains no record. */
  | 'RECEIPT_MALFORMED';

/** One thing that is wrong with a trail. */
export interface Finding {
  readonly code: FindingCode;
  /** A record's position, the last record of a checkpoint, or `null` where there is no such place. */
  readonly sequence_number: number | null;
  /** The epoch of the place, where it is not the one that the report is about. */
  readonly epoch?: number;
  /** For people. Never a hash that would help to make a forged record pass. */
  readonly expected?: string;
  readonly found?: string;
}

/** Receives findings as a check makes them. */
export interface FindingSink {
  add(finding: Finding): void;
}

/**
 * - `verified`: a trusted key signed everything up to `covered_to`.
 * - `recovered`: the same, for a chain that began a new epoch after a loss. Its genesis record names the loss.
 * - `broken`: there is evidence of tampering or damage.
 * - `not_verifiable`: there are no records, no trusted key, or no records that a trusted checkpoint covers. It must not be
 *   read as "in order".
 */
export type ChainVerdict = 'verified' | 'recovered' | 'broken' | 'not_verifiable';

/**
 * A verdict on a whole chain, or on a part of one:
 *
 * - `verified_partial`: what `verified` means, for some records of a chain. Others are missing, and the report says which.
 * - `recovered_partial`: what `recovered` means, for some records of a chain.
 */
export type Verdict = ChainVerdict | 'verified_partial' | 'recovered_partial';

/**
 * A verdict on records that a query selected:
 *
 * - `verified_selection`: a trusted key signed the tree that contains the records that were verified. Whether others match the query,
 *   and were left out, is not known.
 * - `recovered_selection`: the same, of a chain that began a new epoch after a loss.
 * - `broken`: there is evidence of tampering or damage.
 * - `not_verifiable`: there is no trusted key, or no record that the checkpoint covers.
 */
export type SelectionVerdict = 'verified_selection' | 'recovered_selection' | 'broken' | 'not_verifiable';

/** The first and the last sequence number of consecutive records. */
export type SequenceRange = readonly [first: number, last: number];

/** Whether a trusted signature covers the records. */
export function isTrusted(verdict: Verdict | SelectionVerdict): boolean {
  return verdict !== 'broken' && verdict !== 'not_verifiable';
}

/** The verdict on records of one epoch. */
export function verdictOf(seen: {
  readonly isBroken: boolean;
  /** Whether a trusted checkpoint covers at least one of the records. */
  readonly isCovered: boolean;
  readonly epoch: number;
}): ChainVerdict {
  if (seen.isBroken) return 'broken';
  if (!seen.isCovered) return 'not_verifiable';
  return seen.epoch > 1 ? 'recovered' : 'verified';
}

/** Where the trusted keys came from. They never come from what is being verified. */
export type TrustSource = 'given' | 'pinned' | 'first-use' | 'none';

/** An epoch that a recovery closed, and what is left of it. */
export interface ClosedEpochReport {
  readonly epoch: number;
  readonly origin: string;
  /** Number of records that the last signed checkpoint of the epoch covers. */
  readonly signed: number;
  /** Number of records that were read and compared with the recovery's statement; `null` where the file has none of them. */
  readonly records: number | null;
  /** The signed records that were lost when the epoch was closed, ascending. At most a thousand ranges. */
  readonly lost: readonly SequenceRange[];
  readonly lost_records: number;
}

/** A rotation that leads from a trusted key to the next one, as reports show it. */
export interface FollowedRotation {
  /** RFC 3339. */
  readonly rotated_at: string;
  /** Verifier keys of the log under test. */
  readonly old_key: string;
  readonly new_key: string;
  /** Size of the last checkpoint that the old key signed for this log; 0 where it signed none. */
  readonly last_size: number;
}

/** The result of a verification. */
export interface Report {
  readonly verdict: Verdict;
  readonly tenant_id: string | null;
  /** Number of records that were read. */
  readonly records: number;
  /** Highest sequence number that a trusted checkpoint covers; `null` unless the records are trusted. */
  readonly covered_to: number | null;
  /** Number of records after `covered_to`. */
  readonly unsigned_tail: number;
  /** Hash of the last record, hex. */
  readonly head: string | null;
  readonly trust: { readonly source: TrustSource; readonly keys: readonly string[] };
  readonly findings: readonly Finding[];
  /** The records of a part that were verified, ascending. At most a thousand ranges; only for a verdict on a part. */
  readonly covered?: readonly SequenceRange[];
  /** The records that the checkpoint covers and the part leaves out, ascending. At most a thousand ranges. */
  readonly missing?: readonly SequenceRange[];
  /** Number of records in `missing`, and in the ranges beyond the first thousand. */
  readonly missing_records?: number;
  /** The epochs that were closed before this chain began, newest first; absent where there are none. */
  readonly closed?: readonly ClosedEpochReport[];
  /** Rotations that led from a key of the caller to the keys after it, oldest first; absent where there are none. */
  readonly rotations?: readonly FollowedRotation[];
  /**
   * Accounts of producers that were not compared, because no record says what they were: they are of an earlier version, and the
   * service has not put them on record yet. Absent where there are none.
   */
  readonly accounts_not_on_record?: number;
  /** The same of operations with an idempotency key. */
  readonly operations_not_on_record?: number;
  /** Sizes of the caller's checkpoints that the records could not be compared with; absent where there are none. */
  readonly not_compared?: readonly number[];
}

/** Findings beyond this number are counted and not kept. A rewritten trail can have one for each record. */
export const maxFindings = 1_000;

/** Collects findings, in bounded memory. */
export class Findings implements FindingSink {
  readonly list: Finding[] = [];
  count = 0;

  add(finding: Finding): void {
    this.count++;
    if (this.list.length < maxFindings) this.list.push(finding);
  }
}
