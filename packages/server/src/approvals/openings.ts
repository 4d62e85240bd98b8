import { createHash } from 'node:crypto';
import { canonicalize } from '@tallystick/event';
import { sealedCommitment } from '@tallystick/log';
import type { ApprovalDocument, ArgumentOpening } from '@tallystick/protocol';

/** `sha256:` and the SHA-256 of the document's canonical JSON (RFC 8785). */
export function documentDigest(document: ApprovalDocument): string {
  return `sha256:${createHash('sha256').update(canonicalize(document)).digest('hex')}`;
}

/** Whether every hidden argument of the document is opened, and each commitment fits. The client controls the openings. */
export function opensAll(
  { hidden = {} }: ApprovalDocument,
  openings: { readonly [pointer: string]: ArgumentOpening },
): boolean {
  return Object.entries(hidden).every(([pointer, commitment]) => {
    const opening = Object.hasOwn(openings, pointer) ? openings[pointer] : undefined;
    if (opening === undefined || !/^[0-9a-f]{64}$/.test(opening.salt)) return false;
    const { value } = opening;
    return sealedCommitment(pointer, { salt: Buffer.from(opening.salt, 'hex'), value }) === commitment;
  });
}
