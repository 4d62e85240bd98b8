import type { Reason } from './transport/transport.ts';

/** Why an event was not delivered, or an emitter can't work. Closed: a code never changes its meaning. */
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
  'CONFIG_INVALID',
] as const;

/** One of {@link auditErrorCodes}; the guide to errors has cause and fix of each. */
export type AuditErrorCode = (typeof auditErrorCodes)[number];

/**
 * What is known of the event that an error is about: `rejected` is final, it is not in the trail and will not be;
 * `unknown` means that it may be there already, or be delivered yet.
 */
export type DeliveryOutcome = 'rejected' | 'unknown';

/** What an {@link AuditError} says beside its code and message. */
export interface AuditErrorDetails {
  readonly outcome?: DeliveryOutcome;
  /** `audit_id` of the event concerned. */
  readonly id?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly eventType?: string | undefined;
  /** What the service, or the SDK's own check, found wrong. Never quotes the event. */
  readonly violations?: readonly Reason[] | undefined;
  /** How many events the error is about. */
  readonly events?: number;
  readonly cause?: unknown;
}

/**
 * A fault of delivery or of data. `emit()` never throws it: it goes to the logger and to `onError`, and `record()`
 * rejects with it. It never carries the body of an event.
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
