/** The audit event, version 1: one declaration for the type, the run-time check and the JSON Schema. */
import { ipPattern } from '../addresses/ip-address.ts';
import { limits } from './limits.ts';
import {
  boolean,
  closedObject,
  enumeration,
  type Infer,
  integer,
  list,
  openObject,
  required,
  string,
} from './shape.ts';

/** Kinds of actors: `actor_type` of an event. */
export const actorTypes = ['user', 'human', 'agent', 'service', 'system', 'scheduler', 'webhook'] as const;
/** `severity` of an event; `info` where absent. */
export const severities = ['info', 'warning', 'critical'] as const;
/** How the action ended: `outcome.outcome_status` of an event. */
export const outcomeStatuses = [
  'success',
  'failure',
  'partial',
  'pending',
  'denied',
  'timed_out',
  'blocked',
  'rolled_back',
] as const;
/** Kinds of evidence: `proof.type` of an event. */
export const proofTypes = ['screenshot', 'api_response', 'hash', 'url', 'none'] as const;

/** An attacker controls it, and it is part of log origins, paths and SQL settings: so no slash, space, comma or plus. */
export const tenantIdPattern = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/;
const timestampExpected = 'must be a time in UTC, such as 2026-01-31T09:30:00.000Z';
export const eventTypePattern = /^[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)+$/;
/** Lower case only, so that one id has one text. */
export const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Without year 0000, which Postgres and most languages do not have. */
export const timestampPattern =
  /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/;

const identifier = <const D extends string>(description: D) =>
  string({ minLength: 1, maxLength: limits.maxIdentifierLength, description });

/** Shape of `outcome`. Errors belong here and nowhere else. */
export const outcomeShape = openObject(
  {
    outcome_status: enumeration(outcomeStatuses, { description: 'How it ended' }),
    error_code: string({ maxLength: 256, description: 'Machine-readable reason of a failure' }),
    error_message: string({ maxLength: 16_384, description: 'Human-readable reason of a failure' }),
  },
  { description: 'The result of the action' },
);

/** Shape of `proof`. */
export const proofShape = openObject(
  {
    type: required(enumeration(proofTypes)),
    data: openObject({}),
    url: string({ maxLength: 8_192 }),
    hash: string({ maxLength: 512 }),
    captured_at: string({
      format: 'timestamp',
      pattern: timestampPattern,
      expected: timestampExpected,
      code: 'TIMESTAMP_INVALID',
    }),
  },
  { description: 'Evidence that the action completed' },
);

/** Shape of `event_data`: the CommonEnvelope. */
export const eventDataShape = openObject(
  {
    version: required(string({ maxLength: 64 })),
    service: required(identifier('The service that wrote the payload')),
    operation: required(identifier('What the service did')),
    status: required(string({ maxLength: 64 })),
    payload: required(openObject({})),
    source_payload: openObject({}, { description: 'The original, external payload' }),
  },
  { description: 'CommonEnvelope: a service-specific payload' },
);

/** Shape of a member of `on_behalf_of`. */
const principalShape = closedObject({
  actor_type: required(enumeration(actorTypes)),
  actor_id: required(identifier('Whom the actor acts for')),
});

/** Shape of a whole event: no unknown fields at the top level, any members inside its objects. */
export const eventShape = closedObject({
  audit_id: required(
    string({
      format: 'uuid',
      pattern: uuidPattern,
      expected: 'must be a UUID in lower case, such as 019f0a5e-8c1b-7d3e-9a41-5b1c2d3e4f50',
      code: 'AUDIT_ID_INVALID',
      description: 'Identity and idempotency key: a lower-case UUID, version 7 unless derived from a source',
    }),
  ),
  tenant_id: required(
    string({
      pattern: tenantIdPattern,
      expected: 'must be 1 to 128 letters, digits and . _ : @ -, and begin with a letter or a digit',
      code: 'TENANT_ID_INVALID',
      description: 'Whose chain the event belongs to',
    }),
  ),
  timestamp: required(
    string({
      format: 'timestamp',
      pattern: timestampPattern,
      expected: timestampExpected,
      code: 'TIMESTAMP_INVALID',
      description: 'When it happened: RFC 3339, UTC, written with Z',
    }),
  ),
  event_type: required(
    string({
      pattern: eventTypePattern,
      expected: 'must be words in lower case, joined by dots, such as alert.classified',
      maxLength: 128,
      code: 'EVENT_TYPE_INVALID',
      description: 'Dotted lower-case type, for example alert.classified',
    }),
  ),
  event_category: string({ minLength: 1, maxLength: 64, description: "The taxonomy's category of the type" }),
  event_action: string({ minLength: 1, maxLength: 128, description: 'The verb' }),
  severity: enumeration(severities, { description: 'Absent means info' }),
  actor_type: required(enumeration(actorTypes)),
  actor_id: required(identifier('Who acted')),
  actor_permissions: list(string({ maxLength: 512 }), {
    maxItems: 1_000,
    description: 'Permissions that the actor had at the time',
  }),
  on_behalf_of: list(principalShape, {
    maxItems: limits.maxDelegations,
    description: 'The delegation chain: whom the actor acts for, the nearest first',
  }),
  target_type: identifier('Kind of the thing acted on'),
  target_id: identifier('The thing acted on'),
  investigation_id: identifier('The investigation this belongs to'),
  alert_id: identifier('The alert this belongs to'),
  entity_ids: list(identifier('Entity'), { maxItems: 1_000, description: 'Entities concerned' }),
  correlation_id: identifier('Joins the events of one request or job'),
  trace_id: identifier('W3C trace id'),
  span_id: identifier('W3C span id'),
  parent_id: identifier('audit_id of the event that led to this one'),
  idempotency_key: identifier("The caller's key of the operation: its attempts share the key"),
  source_ip: string({
    format: 'ip',
    pattern: ipPattern,
    expected: 'must be an IPv4 or IPv6 address without port, prefix length or zone',
    maxLength: 45,
    description: 'Network address from which the actor acted: IPv4 or IPv6 text',
  }),
  user_agent: string({
    minLength: 1,
    maxLength: limits.maxUserAgentLength,
    description: 'Program that the actor used, as it named itself',
  }),
  context: openObject({}, { description: 'What the actor knew' }),
  decision: openObject({}, { description: 'What was decided' }),
  outcome: outcomeShape,
  proof: proofShape,
  event_data: eventDataShape,
  metadata: openObject({}, { description: 'Anything else: platform, lane, duration_ms, request_id, …' }),
  namespace: identifier('Where: namespace'),
  cluster: identifier('Where: cluster'),
  retention_days: integer({
    minimum: 1,
    maximum: 36_500,
    description: 'Kept at least this long; absent means 2555',
  }),
  is_sensitive: boolean({
    description: 'Readable only with the scope for sensitive events; absent means false',
  }),
  source_service: required(identifier('Who emitted the event')),
  event_version: string({
    pattern: /^1\.\d{1,3}$/,
    expected: 'must be a version such as 1.0',
    description: 'Schema version; absent means "1.0"',
  }),
  sealed: openObject({}, { description: 'Erasable fields: JSON pointer → commitment, hex SHA-256' }),
});

/** An audit event as it is sent. Absent optional fields stay absent: nothing is added before hashing. */
export type AuditEvent = Infer<typeof eventShape>;
/** One of {@link actorTypes}. */
export type ActorType = (typeof actorTypes)[number];
/** One of {@link severities}. */
export type Severity = (typeof severities)[number];
/** One of {@link outcomeStatuses}. */
export type OutcomeStatus = (typeof outcomeStatuses)[number];
/** One of {@link proofTypes}. */
export type ProofType = (typeof proofTypes)[number];
