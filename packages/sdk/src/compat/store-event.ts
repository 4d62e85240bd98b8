import { AuditValidationError, uuidv7, type Violation } from '@tallystick/event';
import type { AnyEventInput, AuditActorType, AuditOutcome } from '../event/input.ts';
import { type CommonEnvelope, fromJSON } from './envelope.ts';

/** An event that the caller fills in field by field, starting with `newAuditEvent()`. */
export interface StoreEvent {
  eventId: string;
  eventVersion: string;
  eventTimestamp: Date;
  retentionDays: number;
  isSensitive: boolean;
  /** @defaultValue the tenant of the store's configuration */
  tenantId?: string;
  eventType?: string;
  eventCategory?: string;
  eventAction?: string;
  eventOutcome?: AuditOutcome;
  actorType?: AuditActorType;
  actorId?: string;
  resourceType?: string;
  resourceId?: string;
  correlationId?: string;
  /** An envelope, or its JSON text. */
  eventData?: CommonEnvelope | string;
  parentEventId?: string;
  severity?: 'info' | 'warning' | 'critical';
  namespace?: string;
  clusterName?: string;
  durationMs?: number;
  errorCode?: string;
  errorMessage?: string;
}

const defaultRetentionDays = 2_555;
const required = [
  ['eventType', 'event_type'],
  ['eventCategory', 'event_category'],
  ['eventAction', 'event_action'],
  ['eventOutcome', 'outcome'],
  ['actorType', 'actor_type'],
  ['actorId', 'actor_id'],
  ['resourceType', 'target_type'],
  ['resourceId', 'target_id'],
  ['correlationId', 'correlation_id'],
  ['eventData', 'event_data'],
] as const;

/** A new event with id, version, time, retention (2555 days) and sensitivity (false). The caller sets the other fields. */
export function newAuditEvent(): StoreEvent {
  const now = Date.now();
  return {
    eventId: uuidv7(now),
    eventVersion: '1.0',
    eventTimestamp: new Date(now),
    retentionDays: defaultRetentionDays,
    isSensitive: false,
  };
}

/**
 * The event as the emitter's input. Default values of retention and sensitivity are left out, since absent means the same.
 *
 * @throws {AuditValidationError} if a required field is missing, or `eventData` is not an envelope
 */
export function toEventInput(event: StoreEvent): AnyEventInput {
  const missing: Violation[] = required
    .filter(([name]) => event[name] === undefined || event[name] === '')
    .map(([name, wire]) => ({ code: 'FIELD_REQUIRED', pointer: `/${wire}`, message: `${name} is required` }));
  if (missing.length > 0) throw new AuditValidationError(missing);
  const { eventData, durationMs, errorCode, errorMessage } = event;
  const { tenantId, severity, parentEventId, namespace, clusterName } = event;
  return {
    auditId: event.eventId,
    timestamp: event.eventTimestamp,
    eventType: event.eventType!,
    eventCategory: event.eventCategory!,
    eventAction: event.eventAction!,
    actorType: event.actorType!,
    actorId: event.actorId!,
    targetType: event.resourceType!,
    targetId: event.resourceId!,
    correlationId: event.correlationId!,
    outcome: {
      outcome_status: event.eventOutcome!,
      ...(errorCode !== undefined && { errorCode }),
      ...(errorMessage !== undefined && { errorMessage }),
    },
    eventData: typeof eventData === 'string' ? fromJSON(eventData) : eventData!,
    ...(tenantId !== undefined && { tenantId }),
    ...(severity !== undefined && { severity }),
    ...(parentEventId !== undefined && { parentEventId }),
    ...(namespace !== undefined && { namespace }),
    ...(clusterName !== undefined && { cluster: clusterName }),
    ...(durationMs !== undefined && { metadata: { durationMs } }),
    ...(event.retentionDays !== defaultRetentionDays && { retentionDays: event.retentionDays }),
    ...(event.isSensitive && { isSensitive: true }),
  };
}
