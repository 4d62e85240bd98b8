/**
 * Why an event is refused. Within a major version, no code is removed or changes its meaning, so clients and dashboards can
 * rely on the codes.
 */
export const eventErrorCodes = [
  'JSON_INVALID',
  'JSON_DUPLICATE_KEY',
  'UTF8_INVALID',
  'EVENT_TOO_LARGE',
  'EVENT_TOO_DEEP',
  'EVENT_TOO_MANY_KEYS',
  'VALUE_NOT_JSON',
  'STRING_LONE_SURROGATE',
  'STRING_NUL',
  'NUMBER_OUT_OF_RANGE',
  'FIELD_UNKNOWN',
  'FIELD_REQUIRED',
  'FIELD_TYPE',
  'FIELD_FORMAT',
  'FIELD_LENGTH',
  'FIELD_RANGE',
  'FIELD_ENUM',
  'AUDIT_ID_INVALID',
  'AUDIT_ID_AHEAD',
  'TENANT_ID_INVALID',
  'TIMESTAMP_INVALID',
  'TIMESTAMP_AHEAD',
  'EVENT_TYPE_INVALID',
  'EVENT_TYPE_UNKNOWN',
  'EVENT_TYPE_RESERVED',
  'EVENT_CATEGORY_MISMATCH',
  'ACTOR_RESERVED',
  'SEALED_INVALID',
] as const;

/** One of {@link eventErrorCodes}. */
export type EventErrorCode = (typeof eventErrorCodes)[number];

/** One thing that is wrong with an event. Messages never quote the value: it may be a secret. */
export interface Violation {
  readonly code: EventErrorCode;
  /** RFC 6901 JSON pointer to the value; `""` is the whole event. */
  readonly pointer: string;
  readonly message: string;
}

/** Thrown for an event that cannot be accepted. `violations` lists the reasons, the most important first. */
export class AuditValidationError extends Error {
  override readonly name = 'AuditValidationError';
  readonly code: EventErrorCode;
  readonly pointer: string;
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[], options?: ErrorOptions) {
    const first = violations[0];
    if (first === undefined) throw new TypeError('AuditValidationError needs at least one violation');
    super(`${first.message} (${first.code}${first.pointer === '' ? '' : ` at ${first.pointer}`})`, options);
    this.code = first.code;
    this.pointer = first.pointer;
    this.violations = violations;
  }
}
