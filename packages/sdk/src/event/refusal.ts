import { AuditValidationError } from '@tallystick/event';
import { AuditError } from '../errors.ts';
import type { EncodedEvent } from './encoded-event.ts';

/** The error for an event whose data is invalid. */
export function refusalOf({ id, tenantId, eventType, violations }: EncodedEvent): AuditError {
  const cause = new AuditValidationError(violations);
  const message = `the event was refused: ${cause.message}`;
  return new AuditError('EVENT_REFUSED', message, { id, tenantId, eventType, violations, cause });
}

/** Whether a refused event is missing in a chain: an invalid tenant has none. */
export function leavesGap({ violations }: EncodedEvent): boolean {
  return !violations.some(({ code }) => code === 'TENANT_ID_INVALID');
}
