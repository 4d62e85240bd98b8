/** Why the content of a record batch can't be read. */
export type UnpackCode = 'KAFKA_BATCH_TOO_LARGE' | 'KAFKA_BATCH_UNREADABLE';

/**
 * The content of a record batch can't be read, although the batch is as its producer wrote it: its checksum is right. The
 * message is worded to continue a sentence that begins with "the record batch".
 */
export class UnpackError extends Error {
  override readonly name = 'UnpackError';
  readonly code: UnpackCode;

  constructor(code: UnpackCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

export function unreadable(why: string, cause?: unknown): UnpackError {
  return new UnpackError('KAFKA_BATCH_UNREADABLE', `can't be read: ${why}`, { cause });
}

export function tooLarge(limit: number): UnpackError {
  return new UnpackError('KAFKA_BATCH_TOO_LARGE', `unpacks to more than ${limit} bytes`);
}
