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

/** The error for everything that would extend a stopped chain. */
export function chainStopped(tenantId: string, reason: string): ServerError {
  return new ServerError('CHAIN_STOPPED', `the chain of ${tenantId} is stopped: ${reason}`, {
    details: { tenant_id: tenantId },
  });
}
