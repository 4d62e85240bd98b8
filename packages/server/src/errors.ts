import type { ServiceErrorCode } from '@tallystick/protocol';

/** Codes of {@link ServerError}. */
export type ServerErrorCode = ServiceErrorCode;

/** A fault of the service or its store; `code` is closed, and callers decide by it. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;
  /** Facts for whoever handles the error, never secrets or event bodies. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ServerErrorCode,
    message: string,
    options: ErrorOptions & { details?: Record<string, unknown> } = {},
  ) {
    super(message, options);
    this.code = code;
    this.details = Object.freeze({ ...options.details });
  }
}
