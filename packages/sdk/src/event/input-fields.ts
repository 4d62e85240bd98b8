import { type AuditEvent, toPointer } from '@tallystick/event';
import type { EventDraft } from './event-draft.ts';
import type { AnyEventInput } from './input.ts';

/** The fields of an event as callers write them, with their names on the wire. The compiler checks that no field is missing. */
const wireNames: { readonly [K in keyof Required<AnyEventInput>]: keyof AuditEvent } = {
  auditId: 'audit_id',
  tenantId: 'tenant_id',
  clientId: 'tenant_id',
  timestamp: 'timestamp',
  eventType: 'event_type',
  actionType: 'event_type',
  eventCategory: 'event_category',
  eventAction: 'event_action',
  severity: 'severity',
  actorType: 'actor_type',
  actorId: 'actor_id',
  actorPermissions: 'actor_permissions',
  onBehalfOf: 'on_behalf_of',
  targetType: 'target_type',
  targetId: 'target_id',
  investigationId: 'investigation_id',
  alertId: 'alert_id',
  entityIds: 'entity_ids',
  correlationId: 'correlation_id',
  traceId: 'trace_id',
  spanId: 'span_id',
  parentEventId: 'parent_id',
  idempotencyKey: 'idempotency_key',
  sourceIp: 'source_ip',
  userAgent: 'user_agent',
  namespace: 'namespace',
  cluster: 'cluster',
  retentionDays: 'retention_days',
  isSensitive: 'is_sensitive',
  context: 'context',
  decision: 'decision',
  outcome: 'outcome',
  proof: 'proof',
  eventData: 'event_data',
  metadata: 'metadata',
};

/** Names of all fields that an event may have. */
export const inputFields = Object.keys(wireNames) as readonly (keyof AnyEventInput)[];

const known: ReadonlySet<string> = new Set(inputFields);

/** Other spellings of the fields' names, such as `actor_id` and `ACTOR_ID` for `actorId`. */
const spellings = new Map<string, string>();
for (const name of inputFields) {
  for (const spelling of [name, wireNames[name]]) {
    if (!spellings.has(letters(spelling))) spellings.set(letters(spelling), name);
  }
}

function letters(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, '');
}

/**
 * The names of members that are not fields of an event, or `undefined` if there are none. A member whose value JSON leaves out
 * has no information that could be lost, and does not count. Neither does `null`, which means an absent field.
 */
export function findUnknownFields(input: object): string[] | undefined {
  let unknown: string[] | undefined;
  for (const name in input) {
    if (known.has(name)) continue;
    const value: unknown = Reflect.get(input, name);
    if (value === undefined || value === null || typeof value === 'function') continue;
    unknown ??= [];
    unknown.push(name);
  }
  return unknown;
}

/** Refuses the event because of each of these members: if they were left out, the trail would miss what the caller meant to record. */
export function refuseUnknownFields(draft: EventDraft, names: readonly string[]): void {
  for (const whole of names.slice(0, 20)) {
    // A name can have millions of characters, and none of the fields has more than these.
    const name = whole.slice(0, 256);
    const field = spellings.get(letters(name));
    const hint =
      field === undefined ? 'put it into metadata, context or decision' : `the name of the field is ${field}`;
    const pointer = toPointer([name]).toWellFormed().replaceAll('\0', '\ufffd');
    draft.refuse('FIELD_UNKNOWN', pointer, `is not a field of the event; ${hint}`);
  }
}

/** The metadata with these members of the event. A name that the metadata already has is not overwritten: it is in `clashes`. */
export function addToMetadata(
  input: AnyEventInput,
  names: readonly string[],
): { readonly metadata: AnyEventInput['metadata']; readonly clashes: readonly string[] } {
  const given: unknown = input.metadata ?? {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return { metadata: input.metadata, clashes: names };
  }
  const clashes = names.filter((name) => Object.hasOwn(given, name));
  const moved = names
    .filter((name) => !Object.hasOwn(given, name))
    .map((name) => [name, Reflect.get(input, name) as unknown] as const);
  return { metadata: { ...given, ...Object.fromEntries(moved) }, clashes };
}
