import { TimestampWriter } from './stamp.ts';
import { quote } from './write-json.ts';

/** JSON text of an object or a list. */
type Json = string;
/** Text that is nobody else's: see {@link own}. */
type Name = string;

/** An event's members under their wire names. All of them are immutable, so they are a copy of what the caller gave. */
export interface WireMembers {
  readonly actor_id: Name | undefined;
  readonly actor_permissions: Json | undefined;
  readonly actor_type: string;
  readonly alert_id: Name | undefined;
  readonly audit_id: string;
  readonly cluster: Name | undefined;
  readonly context: Json | undefined;
  readonly correlation_id: Name | undefined;
  readonly decision: Json | undefined;
  readonly entity_ids: Json | undefined;
  readonly event_action: Name | undefined;
  readonly event_category: Name | undefined;
  readonly event_data: Json | undefined;
  readonly event_type: string;
  readonly investigation_id: Name | undefined;
  readonly is_sensitive: boolean | undefined;
  readonly metadata: Json | undefined;
  readonly namespace: Name | undefined;
  readonly outcome: Json | undefined;
  readonly parent_id: Name | undefined;
  readonly proof: Json | undefined;
  readonly retention_days: number | undefined;
  readonly severity: string | undefined;
  readonly source_service: string;
  readonly span_id: Name | undefined;
  readonly target_id: Name | undefined;
  readonly target_type: Name | undefined;
  readonly tenant_id: string;
  /** The time of emission where it is `undefined`. */
  readonly timestamp: string | undefined;
  readonly trace_id: Name | undefined;
}

/** Owned by this module, one a thread: what it keeps is but the text of the last second. */
const stamps = new TimestampWriter();

/**
 * The event's text, in sorted order, so that the service finds the top level canonical already.
 *
 * @param emittedAt ms since the epoch
 */
export function writeMembers(wire: WireMembers, emittedAt: number): string {
  let text = `{"actor_id":${wire.actor_id === undefined ? '""' : quoted(wire.actor_id)}`;
  text += json('actor_permissions', wire.actor_permissions) + name('actor_type', wire.actor_type);
  text += name('alert_id', wire.alert_id) + name('audit_id', wire.audit_id) + name('cluster', wire.cluster);
  text += json('context', wire.context) + name('correlation_id', wire.correlation_id);
  text += json('decision', wire.decision) + json('entity_ids', wire.entity_ids);
  text += name('event_action', wire.event_action) + name('event_category', wire.event_category);
  text += json('event_data', wire.event_data) + name('event_type', wire.event_type);
  text += name('investigation_id', wire.investigation_id) + json('is_sensitive', wire.is_sensitive);
  text += json('metadata', wire.metadata) + name('namespace', wire.namespace) + json('outcome', wire.outcome);
  text += name('parent_id', wire.parent_id) + json('proof', wire.proof);
  text += json('retention_days', wire.retention_days) + name('severity', wire.severity);
  text += name('source_service', wire.source_service) + name('span_id', wire.span_id);
  text += name('target_id', wire.target_id) + name('target_type', wire.target_type);
  text += name('tenant_id', wire.tenant_id) + name('timestamp', wire.timestamp ?? stamps.write(emittedAt));
  return `${text}${name('trace_id', wire.trace_id)}}`;
}

function name(member: string, value: Name | undefined): string {
  return value === undefined ? '' : `,"${member}":${quoted(value)}`;
}

function json(member: string, value: Json | boolean | number | undefined): string {
  return value === undefined ? '' : `,"${member}":${value}`;
}

const anyStamp = '2026-03-01T12:00:00.000Z';

/** How long the text will be, to the character where JSON escapes nothing in the names. */
export function lengthOfMembers(wire: WireMembers): number {
  return (
    // The braces, and a comma less than there are members.
    1 +
    lengthOfName('actor_id', wire.actor_id) +
    lengthOfJson('actor_permissions', wire.actor_permissions) +
    lengthOfName('actor_type', wire.actor_type) +
    lengthOfName('alert_id', wire.alert_id) +
    lengthOfName('audit_id', wire.audit_id) +
    lengthOfName('cluster', wire.cluster) +
    lengthOfJson('context', wire.context) +
    lengthOfName('correlation_id', wire.correlation_id) +
    lengthOfJson('decision', wire.decision) +
    lengthOfJson('entity_ids', wire.entity_ids) +
    lengthOfName('event_action', wire.event_action) +
    lengthOfName('event_category', wire.event_category) +
    lengthOfJson('event_data', wire.event_data) +
    lengthOfName('event_type', wire.event_type) +
    lengthOfName('investigation_id', wire.investigation_id) +
    (wire.is_sensitive === undefined ? 0 : ',"is_sensitive":'.length + (wire.is_sensitive ? 4 : 5)) +
    lengthOfJson('metadata', wire.metadata) +
    lengthOfName('namespace', wire.namespace) +
    lengthOfJson('outcome', wire.outcome) +
    lengthOfName('parent_id', wire.parent_id) +
    lengthOfJson('proof', wire.proof) +
    (wire.retention_days === undefined
      ? 0
      : ',"retention_days":'.length + String(wire.retention_days).length) +
    lengthOfName('severity', wire.severity) +
    lengthOfName('source_service', wire.source_service) +
    lengthOfName('span_id', wire.span_id) +
    lengthOfName('target_id', wire.target_id) +
    lengthOfName('target_type', wire.target_type) +
    lengthOfName('tenant_id', wire.tenant_id) +
    lengthOfName('timestamp', wire.timestamp ?? anyStamp) +
    lengthOfName('trace_id', wire.trace_id)
  );
}

function lengthOfName(member: string, value: Name | undefined): number {
  return value === undefined ? 0 : member.length + value.length + ',"":""'.length;
}

function lengthOfJson(member: string, value: Json | undefined): number {
  return value === undefined ? 0 : member.length + value.length + ',"":'.length;
}

/** Printable ASCII without the two characters that JSON escapes: may stand between quotes as it is. */
const asIs = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

/** JSON text of a name. */
export function quoted(text: Name): Json {
  return isAsIs(text) ? `"${text}"` : quote(text);
}

/** For short text a loop costs a third of the regular expression's call. */
function isAsIs(text: string): boolean {
  if (text.length > 32) return asIs.test(text);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return false;
  }
  return text.length > 0;
}

/** Below this the engine copies what is cut out of a text; from it on it keeps the whole alive. */
const shortestSlice = 13;

/**
 * The same text, free of what it was cut from. An identifier out of a request's body would else hold the whole body in
 * memory for as long as the event waits, and no bound would know of it.
 */
export function own(text: string): Name {
  return text.length < shortestSlice ? text : ` ${text}`.slice(1);
}
