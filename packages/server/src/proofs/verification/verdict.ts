import type { ChainFinding, ChainFindingCode } from '@tallystick/log';

/** What a check on the server's side can find; the meaning of each is that of the outsider's verifier. */
type VerifyFindingCode =
  | ChainFindingCode
  | 'COLUMN_MISMATCH'
  | 'HEAD_MISMATCH'
  | 'CHECKPOINT_ROOT_MISMATCH'
  | 'NOTHING_COVERED';

/** One thing that is wrong. `found` never is a hash that would make a forged record pass. */
export interface VerifyFinding {
  readonly code: VerifyFindingCode;
  readonly sequence_number: number | null;
  readonly expected?: string;
  readonly found?: string;
}

/** What the service found of itself; `not_verifiable` is never to be read as fine. */
export type Verdict = 'verified' | 'recovered' | 'broken' | 'not_verifiable';

/** What a verification looked at, and what it found. */
export interface VerifyReport {
  readonly verdict: Verdict;
  readonly tenant_id: string;
  readonly epoch: number;
  /** First and last sequence number that were looked at; null where there was none. */
  readonly first: number | null;
  readonly last: number | null;
  readonly records: number;
  /** The highest sequence number that the signed head vouches for; null unless verified or recovered. */
  readonly covered_to: number | null;
  /** Records looked at beyond that, in number. */
  readonly unsigned_tail: number;
  /** Hash of the last record looked at, hex. */
  readonly head: string | null;
  /** Whether all that was asked for was looked at; if not, go on at `next_sequence`. */
  readonly complete: boolean;
  readonly next_sequence?: number;
  /** The service checks itself: enough to find a fault, not to convince an outsider. */
  readonly trust: { readonly source: 'service'; readonly keys: readonly string[] };
  readonly findings: readonly VerifyFinding[];
}

const maxFindings = 100;

/** Findings of one check, bounded: a forged chain of a million records is told by its first hundred. */
export class Findings {
  readonly list: VerifyFinding[] = [];

  add(finding: VerifyFinding): void {
    if (this.list.length < maxFindings) this.list.push(finding);
  }

  /** A finding about hashes says where, and not which hash would have been right: that would help the forger. */
  addOfChain(finding: ChainFinding): void {
    const { expected: _, ...located } = finding;
    const hashed = finding.code === 'RECORD_HASH_MISMATCH' || finding.code === 'CHAIN_LINK_BROKEN';
    this.add(hashed ? located : finding);
  }
}
