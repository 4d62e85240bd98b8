import { parseTimestamp } from '@tallystick/event';

/**
 * What a store may keep beside a record to find it by. It is derived from the event alone, so that a verifier can
 * derive it again and tell when a column was changed to hide a record from a query.
 */
export interface IndexedColumns {
  readonly audit_id: string;
  /** The event's own time, cut to milliseconds. */
  readonly timestamp: string;
  readonly event_type: string;
  readonly event_category: string | null;
  readonly severity: string | null;
  readonly actor_type: string;
  readonly actor_id: string;
  readonly target_type: string | null;
  readonly target_id: string | null;
  readonly investigation_id: string | null;
  readonly alert_id: string | null;
  readonly correlation_id: string | null;
  readonly trace_id: string | null;
  readonly outcome_status: string | null;
  readonly source_service: string;
  readonly is_sensitive: boolean;
}

/** The names of {@link IndexedColumns}, in the order in which the store writes them. */
export const indexedColumnNames = [
  'audit_id',
  'timestamp',
  'event_type',
  'event_category',
  'severity',
  'actor_type',
  'actor_id',
  'target_type',
  'target_id',
  'investigation_id',
  'alert_id',
  'correlation_id',
  'trace_id',
  'outcome_status',
  'source_service',
  'is_sensitive',
] as const satisfies readonly (keyof IndexedColumns)[];

/** The columns of an event. An admitted one has them all; a forged one, which a verifier meets, may hold anything. */
export function indexedColumns(event: { readonly [field: string]: unknown }): IndexedColumns {
  const text = (name: string) => (event[name] === undefined ? null : asText(event[name]));
  const outcome = event.outcome as { outcome_status?: unknown } | null | undefined;
  return {
    audit_id: asText(event.audit_id),
    timestamp: millisecondsOnly(asText(event.timestamp)),
    event_type: asText(event.event_type),
    event_category: text('event_category'),
    severity: text('severity'),
    actor_type: asText(event.actor_type),
    actor_id: asText(event.actor_id),
    target_type: text('target_type'),
    target_id: text('target_id'),
    investigation_id: text('investigation_id'),
    alert_id: text('alert_id'),
    correlation_id: text('correlation_id'),
    trace_id: text('trace_id'),
    outcome_status: outcome?.outcome_status === undefined ? null : asText(outcome.outcome_status),
    source_service: asText(event.source_service),
    is_sensitive: event.is_sensitive === true,
  };
}

function millisecondsOnly(timestamp: string): string {
  const ms = timestamp.length === 24 ? Number.NaN : parseTimestamp(timestamp);
  return Number.isNaN(ms) ? timestamp : new Date(ms).toISOString();
}

/** `String()` would throw for an object with a `toString` of its own, which JSON may well name a member. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
