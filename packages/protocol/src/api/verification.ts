/** The result of a check. Never treat `not_verifiable` as a success. */
export type Verdict = 'verified' | 'recovered' | 'broken' | 'not_verifiable';

/** One thing that is wrong. `found` is never a hash that would make a forged record pass. */
export interface VerifyFinding {
  readonly code: string;
  readonly sequence_number: number | null;
  /** The epoch of the place, where it is not the one that the report is about. */
  readonly epoch?: number | undefined;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
}

/** What the service's own check examined, and what it found. */
export interface VerifyReport {
  readonly verdict: Verdict;
  readonly tenant_id: string;
  readonly epoch: number;
  /** First and last sequence number that were examined; null where there was none. */
  readonly first: number | null;
  readonly last: number | null;
  readonly records: number;
  /** The highest sequence number that the signed checkpoint covers; null unless verified or recovered. */
  readonly covered_to: number | null;
  /** How many examined records no checkpoint covers yet. */
  readonly unsigned_tail: number;
  /** Hash of the last record that was examined. */
  readonly head: string | null;
  /** Whether the check reached the end of the requested range. If not, continue at `next_sequence`. */
  readonly complete: boolean;
  readonly next_sequence?: number | undefined;
  /** The service checks itself: enough to find a fault, not to convince an outsider. */
  readonly trust: { readonly source: 'service'; readonly keys: readonly string[] };
  readonly findings: readonly VerifyFinding[];
  /** The epochs that were closed before this one, newest first; absent where there are none. */
  readonly closed?: readonly ClosedEpochState[] | undefined;
  /**
   * Accounts of producers that were not compared, because no record says what they were: they are of an earlier version, and the
   * service has not put them on record yet. Absent where there are none.
   */
  readonly accounts_not_on_record?: number | undefined;
  /** The same of operations with an idempotency key. */
  readonly operations_not_on_record?: number | undefined;
}

/** An epoch that a recovery closed, and what is left of it. */
export interface ClosedEpochState {
  readonly epoch: number;
  readonly origin: string;
  /** How many records the last signed checkpoint of the epoch covers. */
  readonly signed: number;
  /** How many records were read and compared; null where none were. */
  readonly records: number | null;
  /** The signed records that were lost when the epoch was closed, ascending. At most a thousand ranges. */
  readonly lost: readonly (readonly [first: number, last: number])[];
  readonly lost_records: number;
}

/** One check of a chain by the service, or of a part of it. */
export interface Verification {
  readonly id: number;
  /** The id of the first part of the run. A long chain is checked in parts, by one request each. */
  readonly run_id: number;
  readonly tenant_id: string;
  readonly checked_at: string;
  /** The principal that asked for it; null where the service does not know. */
  readonly checked_by: string | null;
  readonly verdict: Verdict;
  readonly epoch: number;
  /** First and last sequence number that were examined; null where there was none. */
  readonly first: number | null;
  readonly last: number | null;
  readonly records: number;
  /** How many examined records no checkpoint covered. */
  readonly unsigned_tail: number;
  /** Number of findings, 100 at most. */
  readonly findings: number;
  readonly first_finding: VerifyFinding | null;
  /** The run began with the chain's first record and reached its newest with this part. */
  readonly whole: boolean;
}

/** A page of a list of verifications, the newest first. */
export interface VerificationPage {
  readonly verifications: readonly Verification[];
  readonly next_cursor?: string;
}
