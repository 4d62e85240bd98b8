import type { Reason } from '@tallystick/protocol';

/** Why an event was not delivered, or why an emitter can't work. A code never changes its meaning. */
export const auditErrorCodes = [
  'EVENT_REFUSED',
  'BUFFER_FULL',
  'SPOOL_FULL',
  'SPOOL_LOCKED',
  'SPOOL_FAILED',
  'EMITTER_CLOSED',
  'REJECTED_BY_SERVICE',
  'CONFLICT',
  'BATCH_REFUSED',
  'DELIVERY_FAILED',
  'DELIVERY_TIMED_OUT',
  'NOT_CONFIGURED',
  'NOT_IN_TRANSACTION',
  'TOO_MANY_ROWS',
  'CONFIG_INVALID',
] as const;

/** One of {@link auditErrorCodes}. The guide to errors gives the cause and the fix of each. */
export type AuditErrorCode = (typeof auditErrorCodes)[number];

/**
 * What is known about the event of an error.
 * - `rejected`: final. The event is not in the trail and will not be.
 * - `unknown`: the event may already be in the trail, or may still be delivered.
 */
export type DeliveryOutcome = 'rejected' | 'unknown';

/** What an {@link AuditError} contains besides its code and message. */
export interface AuditErrorDetails {
  /** @defaultValue 'rejected' */
  readonly outcome?: DeliveryOutcome;
  /** `audit_id` of the event. */
  readonly id?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly eventType?: string | undefined;
  /** What the service, or the SDK's own check, found invalid. Never quotes the event. */
  readonly violations?: readonly Reason[] | undefined;
  /** How many events the error concerns. @defaultValue 1 */
  readonly events?: number;
  readonly cause?: unknown;
}

/**
 * A fault of delivery or of an event's data. `emit()` never throws it: the logger and `onError` receive it, and `record()`
 * rejects with it. It never contains the body of an event.
 */
export class AuditError extends Error {
  override readonly name = 'AuditError';
  readonly code: AuditErrorCode;
  readonly outcome: DeliveryOutcome;
  readonly id: string | undefined;
  readonly tenantId: string | undefined;
  readonly eventType: string | undefined;
  readonly violations: readonly Reason[];
  readonly events: number;

  constructor(code: AuditErrorCode, message: string, details: AuditErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.outcome = details.outcome ?? 'rejected';
    this.id = details.id;
    this.tenantId = details.tenantId;
    this.eventType = details.eventType;
    this.violations = details.violations ?? [];
    this.events = details.events ?? 1;
  }
}

/** Passes a fault to the application's logger and `onError`. Never throws. */
export type ReportError = (error: AuditError) => void;
