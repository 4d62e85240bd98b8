import { AuditValidationError, type Violation } from '@tallystick/event';

/** The error for one mistake of the program. `pointer` is an RFC 6901 JSON pointer into the event's wire form. */
export function validationError(
  code: Violation['code'],
  pointer: string,
  message: string,
): AuditValidationError {
  return new AuditValidationError([{ code, pointer, message }]);
}

/** @param field name of the missing field, as the caller writes it */
export function missingField(field: string, pointer: string): AuditValidationError {
  return validationError('FIELD_REQUIRED', pointer, `${field} is required`);
}
