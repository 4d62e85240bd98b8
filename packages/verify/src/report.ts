import type { ChainFindingCode } from '@tallystick/log';

/** Everything that a verification can find. Codes keep their meaning within a major version. */
export type FindingCode =
  | ChainFindingCode
  /** A column beside a record is not what the record says: it hides the record from a query, or shows it in another. */
  | 'COLUMN_MISMATCH'
  /** A stored tile is not made of the records' hashes: proofs from it would fail. */
  | 'TILE_MISMATCH'
  /** The chain ends before its head, or before a checkpoint: the tail was cut off. */
  | 'HEAD_MISMATCH'
  | 'CHECKPOINT_ROOT_MISMATCH'
  | 'CHECKPOINT_SIGNATURE_INVALID'
  | 'CHECKPOINT_INCONSISTENT'
  /** No trusted key signed the checkpoint that the verification would stand on. */
  | 'CHECKPOINT_UNTRUSTED'
  /** There is nothing that a trusted checkpoint vouches for. */
  | 'NOTHING_COVERED'
  | 'BUNDLE_TRUNCATED'
  | 'BUNDLE_DAMAGED'
  | 'BUNDLE_UNSUPPORTED';

/** One thing that is wrong with a trail. */
export interface Finding {
  readonly code: FindingCode;
  /** Where: a record's position, a checkpoint's last record, or `null` where there is no such place. */
  readonly sequence_number: number | null;
  /** For people; never the hash that would make a forged record pass. */
  readonly expected?: string;
  readonly found?: string;
}

/**
 * - `verified`: everything up to `covered_to` is what a trusted key signed.
 * - `recovered`: the same, of a chain that was begun anew after a loss, which its genesis record names.
 * - `broken`: there is evidence of tampering or damage in the trail.
 * - `not_verifiable`: nothing to check, no trusted key, or nothing that it covers. Never to be read as "fine".
 */
export type Verdict = 'verified' | 'recovered' | 'broken' | 'not_verifiable';

/** Whether a trusted signature vouches for what was read. */
export function isVouched(verdict: Verdict): boolean {
  return verdict === 'verified' || verdict === 'recovered';
}

/** Where the trusted keys came from. They never come from what is being verified. */
export type TrustSource = 'given' | 'pinned' | 'first-use' | 'none';

/** What a verification read, and what it found. */
export interface Report {
  readonly verdict: Verdict;
  readonly tenant_id: string | null;
  /** Records that were read. */
  readonly records: number;
  /** Highest sequence number that a trusted checkpoint vouches for; `null` unless verified or recovered. */
  readonly covered_to: number | null;
  /** Records beyond it. */
  readonly unsigned_tail: number;
  /** Hex hash of the last record. */
  readonly head: string | null;
  readonly trust: { readonly source: TrustSource; readonly keys: readonly string[] };
  readonly findings: readonly Finding[];
}

/** Findings are counted past this many, not kept: a trail rewritten from end to end has one a record. */
export const maxFindings = 1_000;

/** Collects findings, in bounded memory. */
export class Findings {
  readonly list: Finding[] = [];
  count = 0;

  add(finding: Finding): void {
    this.count++;
    if (this.list.length < maxFindings) this.list.push(finding);
  }
}
