import type { ChainVerdict, Finding, FindingSink } from '@tallystick/verify';

/** One thing that is wrong with a chain. It never contains a hash that would help to make a forged record pass. */
export type VerifyFinding = Finding;

/** The result of a verification by the service. */
export interface VerifyReport {
  /** `not_verifiable` must not be read as "in order". */
  readonly verdict: ChainVerdict;
  readonly tenant_id: string;
  readonly epoch: number;
  /** First and last sequence number that were checked; null where there was no record. */
  readonly first: number | null;
  readonly last: number | null;
  readonly records: number;
  /** Highest sequence number that the signed checkpoint covers; null unless verified or recovered. */
  readonly covered_to: number | null;
  /** Number of checked records after `covered_to`. */
  readonly unsigned_tail: number;
  /** Hash of the last checked record, hex. */
  readonly head: string | null;
  /** Whether the whole requested range was checked. If not, continue at `next_sequence`. */
  readonly complete: boolean;
  readonly next_sequence?: number;
  /** The service checks itself. That finds faults, but does not convince an outsider. */
  readonly trust: { readonly source: 'service'; readonly keys: readonly string[] };
  readonly findings: readonly VerifyFinding[];
}

/** Most findings of one report: the first hundred are enough to describe a forged chain of a million records. */
const maxFindings = 100;

/**
 * Collects findings for a client. A finding about a hash gives the place and not the right hash: that would help a forger.
 */
export class RedactedFindings implements FindingSink {
  readonly list: VerifyFinding[] = [];

  add(finding: Finding): void {
    if (this.list.length < maxFindings) this.list.push(redact(finding));
  }
}

function redact(finding: Finding): VerifyFinding {
  const { expected: _, ...withoutExpected } = finding;
  switch (finding.code) {
    case 'RECORD_HASH_MISMATCH':
    case 'CHAIN_LINK_BROKEN':
      return withoutExpected;
    case 'CHECKPOINT_ROOT_MISMATCH':
      return { code: finding.code, sequence_number: finding.sequence_number };
    default:
      return finding;
  }
}
