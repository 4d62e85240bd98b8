/** A file of evidence can't be read: it is damaged, or it does not follow the specification. */
export class EvidenceError extends Error {
  override readonly name = 'EvidenceError';
  readonly code = 'EVIDENCE_MALFORMED';
}
