import { canonicalize } from '@tallystick/event';
import { sha256, toHex } from '@tallystick/log';
import type { ApprovalDocument } from '@tallystick/protocol';

/**
 * Digest of the document that the page shows. A decision names it, and the service refuses a decision about another document: what the
 * approver has read is what is decided.
 */
export function documentDigest(document: ApprovalDocument): string {
  return `sha256:${toHex(sha256(canonicalize(document)))}`;
}
