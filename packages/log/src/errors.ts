/** Codes of {@link LogError}. */
export type LogErrorCode =
  | 'RECORD_MALFORMED'
  | 'NOTE_MALFORMED'
  | 'NOTE_UNVERIFIED'
  | 'SIGNATURE_INVALID'
  | 'KEY_MALFORMED'
  | 'CHECKPOINT_MALFORMED'
  | 'ROTATION_MALFORMED'
  | 'PROOF_MALFORMED'
  | 'PROOF_INVALID'
  | 'TREE_RANGE'
  | 'CHAIN_STATE_INVALID';

/** A record, note, checkpoint, key or proof is malformed or does not verify. `code` is a closed set. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;
  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
