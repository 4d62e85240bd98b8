/** Why the content of a record batch is kept as a dead letter instead of being read. */
export type UnpackCode = 'KAFKA_BATCH_TOO_LARGE' | 'KAFKA_BATCH_UNREADABLE';

/** A record batch that came as its producer wrote it, and can't be read for what the producer wrote. */
export class UnpackError extends Error {
  override readonly name = 'UnpackError';
  readonly code: UnpackCode;

  constructor(code: UnpackCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

export function unreadable(why: string, cause?: unknown): UnpackError {
  return new UnpackError('KAFKA_BATCH_UNREADABLE', why, { cause });
}

export function tooLarge(limit: number): UnpackError {
  return new UnpackError('KAFKA_BATCH_TOO_LARGE', `unpacks to more than ${limit} bytes`);
}
