import { AuditValidationError, uuidv7, type Violation } from '@tallystick/event';
import type { AnyEventInput, AuditActorType, AuditOutcome } from '../event/input.ts';
import { type CommonEnvelope, fromJSON } from './envelope.ts';

/** Seed 003's event, filled in field by field. */
export interface StoreEvent {
  eventId: string;
  eventVersion: string;
  eventTimestamp: Date;
  retentionDays: number;
  isSensitive: boolean;
  /** The store's own tenant by default. */
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

/** A fresh event with what seed 003 generates: identity, version, time, retention, sensitivity. */
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
 * The same event as the emitter takes it. What says only the default is left out: it means the same absent.
 *
 * @throws {AuditValidationError} where a field that seed 003 requires is missing, or `eventData` is no envelope
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
