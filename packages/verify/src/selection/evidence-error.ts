/** A file of evidence can't be read: it was damaged, or nobody who follows the specification wrote it. */
export class EvidenceError extends Error {
  override readonly name = 'EvidenceError';
  readonly code = 'EVIDENCE_MALFORMED';
}
