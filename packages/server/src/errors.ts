/** What can go wrong in the service, beyond events that are refused (`AuditValidationError` of `@tallystick/event`). */
export type ServerErrorCode =
  /** The store could not be reached or refused for a reason of its own; safe to try again. */
  | 'STORE_UNAVAILABLE'
  /** Another process has the data directory open. */
  | 'DATA_DIRECTORY_LOCKED'
  /** The database's schema is older or newer than this version needs. */
  | 'SCHEMA_VERSION'
  /** The database is set up in a way that the trail can't be kept in: encoding, owner role. */
  | 'STORE_UNSUITABLE'
  /** A chain's head lies ahead of the store's clock by more than five minutes. */
  | 'CLOCK_BEHIND_CHAIN'
  /** A tenant's chain does not match what was signed for it: appending and signing have stopped. */
  | 'CHAIN_STOPPED'
  /** Two checkpoints would contradict each other. */
  | 'CHECKPOINT_INCONSISTENT'
  /** A batch starts beyond the position that the store has reached. */
  | 'SOURCE_POSITION_AHEAD'
  /** Kafka could not be reached or did not acknowledge in time; safe to try again. */
  | 'BROKER_UNAVAILABLE'
  /** Kafka refused for a reason that stays until somebody changes rights, settings or credentials. */
  | 'BROKER_REFUSED'
  /** No such tenant, record, checkpoint or key. */
  | 'NOT_FOUND'
  /** A parameter of a call is malformed. */
  | 'PARAMETER_INVALID'
  /** No key, an unknown key, an expired or revoked one. */
  | 'UNAUTHENTICATED'
  /** The key lacks the scope, or the tenant is not one of its own. */
  | 'FORBIDDEN'
  /** A batch or body is larger than the service takes. */
  | 'TOO_LARGE'
  /** The service is shutting down. */
  | 'CLOSING'
  /** Configuration is missing or unusable. */
  | 'CONFIG_INVALID';

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
