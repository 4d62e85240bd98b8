/** What is wrong with a log's bytes: a record, a note, a checkpoint or a proof that can't be read. */
export type LogErrorCode =
  | 'RECORD_MALFORMED'
  | 'NOTE_MALFORMED'
  | 'NOTE_UNVERIFIED'
  | 'SIGNATURE_INVALID'
  | 'KEY_MALFORMED'
  | 'CHECKPOINT_MALFORMED'
  | 'PROOF_MALFORMED'
  | 'PROOF_INVALID'
  | 'TREE_RANGE'
  | 'CHAIN_STATE_INVALID';

/** What is wrong with bytes of a log that were given; `code` is closed. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;
  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
