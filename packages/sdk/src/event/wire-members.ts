import { type DetachedString, quoteIdentifier } from './strings.ts';
import { TimestampWriter } from './timestamp-writer.ts';

/** JSON text of an object or a list. */
type Json = string;

/**
 * An event's members under their wire names. All values are immutable, so that the caller can't change them after `emit()`
 * has returned.
 */
export interface WireMembers {
  readonly actor_id: DetachedString | undefined;
  readonly actor_permissions: Json | undefined;
  readonly actor_type: string;
  readonly alert_id: DetachedString | undefined;
  readonly audit_id: string;
  readonly cluster: DetachedString | undefined;
  readonly context: Json | undefined;
  readonly correlation_id: DetachedString | undefined;
  readonly decision: Json | undefined;
  readonly entity_ids: Json | undefined;
  readonly event_action: DetachedString | undefined;
  readonly event_category: DetachedString | undefined;
  readonly event_data: Json | undefined;
  readonly event_type: string;
  readonly idempotency_key: DetachedString | undefined;
  readonly investigation_id: DetachedString | undefined;
  readonly is_sensitive: boolean | undefined;
  readonly metadata: Json | undefined;
  readonly namespace: DetachedString | undefined;
  readonly on_behalf_of: Json | undefined;
  readonly outcome: Json | undefined;
  readonly parent_id: DetachedString | undefined;
  readonly proof: Json | undefined;
  readonly retention_days: number | undefined;
  readonly severity: string | undefined;
  readonly source_ip: DetachedString | undefined;
  readonly source_service: string;
  readonly span_id: DetachedString | undefined;
  readonly target_id: DetachedString | undefined;
  readonly target_type: DetachedString | undefined;
  readonly tenant_id: string;
  /** `undefined` stands for the time of emission. */
  readonly timestamp: string | undefined;
  readonly trace_id: DetachedString | undefined;
  readonly user_agent: DetachedString | undefined;
}

/** Owned by this module; each thread has its own. It keeps only the text of the last second. */
const timestamps = new TimestampWriter();

/**
 * The event's JSON text. The members are in sorted order, so that the service need not sort the top level to make it
 * canonical.
 *
 * @param emittedAt milliseconds since the epoch
 */
export function writeMembers(wire: WireMembers, emittedAt: number): string {
  let text = `{"actor_id":${wire.actor_id === undefined ? '""' : quoteIdentifier(wire.actor_id)}`;
  text += json('actor_permissions', wire.actor_permissions) + identifier('actor_type', wire.actor_type);
  text +=
    identifier('alert_id', wire.alert_id) +
    identifier('audit_id', wire.audit_id) +
    identifier('cluster', wire.cluster);
  text += json('context', wire.context) + identifier('correlation_id', wire.correlation_id);
  text += json('decision', wire.decision) + json('entity_ids', wire.entity_ids);
  text += identifier('event_action', wire.event_action) + identifier('event_category', wire.event_category);
  text += json('event_data', wire.event_data) + identifier('event_type', wire.event_type);
  text += identifier('idempotency_key', wire.idempotency_key);
  text += identifier('investigation_id', wire.investigation_id) + json('is_sensitive', wire.is_sensitive);
  text +=
    json('metadata', wire.metadata) +
    identifier('namespace', wire.namespace) +
    json('on_behalf_of', wire.on_behalf_of) +
    json('outcome', wire.outcome);
  text += identifier('parent_id', wire.parent_id) + json('proof', wire.proof);
  text += json('retention_days', wire.retention_days) + identifier('severity', wire.severity);
  text += identifier('source_ip', wire.source_ip);
  text += identifier('source_service', wire.source_service) + identifier('span_id', wire.span_id);
  text += identifier('target_id', wire.target_id) + identifier('target_type', wire.target_type);
  text +=
    identifier('tenant_id', wire.tenant_id) +
    identifier('timestamp', wire.timestamp ?? timestamps.write(emittedAt));
  return `${text}${identifier('trace_id', wire.trace_id)}${identifier('user_agent', wire.user_agent)}}`;
}

function identifier(member: string, value: DetachedString | undefined): string {
  return value === undefined ? '' : `,"${member}":${quoteIdentifier(value)}`;
}

function json(member: string, value: Json | boolean | number | undefined): string {
  return value === undefined ? '' : `,"${member}":${value}`;
}

/** Every timestamp of the SDK has this length. */
const anyTimestamp = '2026-03-01T12:00:00.000Z';

/** Length of the text that {@link writeMembers} gives. Exact unless JSON escapes characters of an identifier. */
export function lengthOfMembers(wire: WireMembers): number {
  return (
    // Two braces, less one comma: each length below includes a comma, but the first member has none.
    1 +
    lengthOfIdentifier('actor_id', wire.actor_id) +
    lengthOfJson('actor_permissions', wire.actor_permissions) +
    lengthOfIdentifier('actor_type', wire.actor_type) +
    lengthOfIdentifier('alert_id', wire.alert_id) +
    lengthOfIdentifier('audit_id', wire.audit_id) +
    lengthOfIdentifier('cluster', wire.cluster) +
    lengthOfJson('context', wire.context) +
    lengthOfIdentifier('correlation_id', wire.correlation_id) +
    lengthOfJson('decision', wire.decision) +
    lengthOfJson('entity_ids', wire.entity_ids) +
    lengthOfIdentifier('event_action', wire.event_action) +
    lengthOfIdentifier('event_category', wire.event_category) +
    lengthOfJson('event_data', wire.event_data) +
    lengthOfIdentifier('event_type', wire.event_type) +
    lengthOfIdentifier('idempotency_key', wire.idempotency_key) +
    lengthOfIdentifier('investigation_id', wire.investigation_id) +
    (wire.is_sensitive === undefined ? 0 : ',"is_sensitive":'.length + (wire.is_sensitive ? 4 : 5)) +
    lengthOfJson('metadata', wire.metadata) +
    lengthOfIdentifier('namespace', wire.namespace) +
    lengthOfJson('on_behalf_of', wire.on_behalf_of) +
    lengthOfJson('outcome', wire.outcome) +
    lengthOfIdentifier('parent_id', wire.parent_id) +
    lengthOfJson('proof', wire.proof) +
    (wire.retention_days === undefined
      ? 0
      : ',"retention_days":'.length + String(wire.retention_days).length) +
    lengthOfIdentifier('severity', wire.severity) +
    lengthOfIdentifier('source_ip', wire.source_ip) +
    lengthOfIdentifier('source_service', wire.source_service) +
    lengthOfIdentifier('span_id', wire.span_id) +
    lengthOfIdentifier('target_id', wire.target_id) +
    lengthOfIdentifier('target_type', wire.target_type) +
    lengthOfIdentifier('tenant_id', wire.tenant_id) +
    lengthOfIdentifier('timestamp', wire.timestamp ?? anyTimestamp) +
    lengthOfIdentifier('trace_id', wire.trace_id) +
    lengthOfIdentifier('user_agent', wire.user_agent)
  );
}

function lengthOfIdentifier(member: string, value: DetachedString | undefined): number {
  return value === undefined ? 0 : member.length + value.length + ',"":""'.length;
}

function lengthOfJson(member: string, value: Json | undefined): number {
  return value === undefined ? 0 : member.length + value.length + ',"":'.length;
}
