import type { ServiceErrorCode } from '@tallystick/protocol';

/** Codes of {@link ServerError}. */
export type ServerErrorCode = ServiceErrorCode;

/** An error of the service or its store. Callers decide by `code`, which is a closed set. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;
  /** Facts for the caller. They never contain secrets or event bodies. */
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
