import type { VerifyFinding } from '@tallystick/protocol';
import type { Finding, FindingSink } from '@tallystick/verify';

/** Most findings of one report: the first hundred are enough to describe a forged chain of a million records. */
export const maxFindings = 100;

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
