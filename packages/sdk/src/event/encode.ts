/**
 * Turns the caller's object into the event's wire members. The members are copies: if the caller changes the object later,
 * the event stays as it is.
 */
import {
  AuditValidationError,
  eventDataShape,
  limits,
  outcomeShape,
  outcomeStatuses,
  proofShape,
  type Taxonomy,
} from '@tallystick/event';
import type { TraceContext } from '../observe/correlation.ts';
import { encodeDelegations } from './delegations.ts';
import { EncodedEvent } from './encoded-event.ts';
import { EventDraft } from './event-draft.ts';
import { EventTypeRegistry } from './event-type-registry.ts';
import {
  checkActorType,
  checkAuditId,
  checkRetentionDays,
  checkServiceActor,
  checkSeverity,
  checkSourceIp,
  checkTimestamp,
  TenantIds,
} from './field-checks.ts';
import type { AnyEventInput } from './input.ts';
import { addToMetadata, findUnknownFields, refuseUnknownFields } from './input-fields.ts';
import { hasTooManyMembers } from './plain-json.ts';
import { readableCopy } from './readable-copy.ts';
import { missingField, validationError } from './validation-error.ts';
import { textOfStatus, wireEventData, wireOutcomeAndMetadata, wireProof } from './wire-parts.ts';

/** What happens to members of an event that are not fields: the event is refused, or they become members of its metadata. */
export type UnknownFields = 'refuse' | 'metadata';

export interface EncoderOptions {
  readonly service: string;
  /** The tenant of events that name none. */
  readonly tenantId?: string | undefined;
  readonly taxonomy?: Taxonomy | undefined;
  /** @defaultValue 'refuse' */
  readonly unknownFields?: UnknownFields | undefined;
  readonly now: () => number;
  readonly activeTrace: () => TraceContext | undefined;
}

export class EventEncoder {
  readonly #options: EncoderOptions;
  readonly #types: EventTypeRegistry;
  readonly #tenants = new TenantIds();

  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#types = new EventTypeRegistry(options.taxonomy);
  }

  /**
   * Encodes any object of a caller, also one with a getter that throws: that is a fault of data. Otherwise as {@link encode}.
   *
   * @throws {AuditValidationError} as {@link encode} does
   */
  encodeAny(input: AnyEventInput, typeArgument?: string): EncodedEvent {
    try {
      return this.encode(input, typeArgument);
    } catch (thrown) {
      if (thrown instanceof AuditValidationError) throw thrown;
      return this.encode(readableCopy(input), typeArgument);
    }
  }

  /**
   * @param typeArgument the event's type if the caller passed it separately from the event
   * @returns the event; its `violations` are the faults of its data, if any
   * @throws {AuditValidationError} for a programming error: no tenant, type or actor; a type that the taxonomy does not
   *   contain; a payload that does not have the type's shape
   */
  encode(input: AnyEventInput, typeArgument?: string): EncodedEvent {
    if (typeof input !== 'object' || input === null) throw missingField('event', '');
    const tenantId = input.tenantId ?? input.clientId ?? this.#options.tenantId;
    if (tenantId === undefined || tenantId === '') {
      throw missingField('tenantId', '/tenant_id');
    }
    const eventType = typeArgument ?? input.eventType ?? input.actionType;
    if (typeof eventType !== 'string' || eventType === '') {
      throw missingField('eventType (or actionType)', '/event_type');
    }
    if (input.actorType == null) throw missingField('actorType', '/actor_type');
    const { actorId } = input;
    if (actorId == null || actorId === '') throw missingField('actorId', '/actor_id');
    const draft = new EventDraft();

    const { name: event_type, declared } = this.#types.find(eventType);
    const now = this.#options.now();
    const audit_id = checkAuditId(draft, input.auditId, now);
    const tenant_id = this.#tenants.check(draft, tenantId);
    checkActorType(draft, input.actorType);
    checkServiceActor(draft, input.actorType, actorId, '/actor_id');
    if (input.eventCategory != null && declared !== undefined && input.eventCategory !== declared.category) {
      const message = `must be ${declared.category} for ${eventType}`;
      throw validationError('EVENT_CATEGORY_MISMATCH', '/event_category', message);
    }

    const trace =
      input.traceId == null && (input.correlationId == null || input.spanId == null)
        ? this.#activeTrace()
        : undefined;
    const { outcome, metadata } = wireOutcomeAndMetadata(input.outcome, this.#metadataOf(draft, input));
    const proof = input.proof == null ? undefined : wireProof(input.proof);
    const eventData =
      input.eventData == null ? undefined : wireEventData(input.eventData, this.#options.service);
    if (outcome != null && !isStatusOnly(outcome)) {
      draft.checkShape('outcome', outcome, outcomeShape, draft.violations);
    }
    if (proof != null) draft.checkShape('proof', proof, proofShape, draft.violations);
    if (eventData != null) draft.checkShape('event_data', eventData, eventDataShape, draft.violations);
    if (declared !== undefined) {
      const { context, decision } = input;
      declared.checkPayload(draft, { context, decision, outcome, proof, event_data: eventData, metadata });
    }

    const event = new EncodedEvent(now, {
      actor_id: draft.identifier('actor_id', actorId),
      actor_permissions: draft.identifiers('actor_permissions', input.actorPermissions),
      actor_type: input.actorType,
      alert_id: draft.identifier('alert_id', input.alertId),
      audit_id,
      cluster: draft.identifier('cluster', input.cluster),
      context: draft.object('context', input.context),
      correlation_id: draft.identifier(
        'correlation_id',
        input.correlationId ?? input.traceId ?? trace?.traceId,
      ),
      decision: draft.object('decision', input.decision),
      entity_ids: draft.identifiers('entity_ids', input.entityIds),
      event_action: draft.identifier('event_action', input.eventAction, 128),
      event_category: draft.identifier('event_category', input.eventCategory ?? declared?.category, 64),
      event_data: draft.object('event_data', eventData),
      event_type,
      idempotency_key: draft.identifier('idempotency_key', input.idempotencyKey),
      investigation_id: draft.identifier('investigation_id', input.investigationId),
      is_sensitive: input.isSensitive == null ? undefined : Boolean(input.isSensitive),
      metadata: draft.object('metadata', metadata),
      namespace: draft.identifier('namespace', input.namespace),
      on_behalf_of: encodeDelegations(draft, input.onBehalfOf),
      outcome: textOfStatus(outcome) ?? draft.object('outcome', outcome),
      parent_id: draft.identifier('parent_id', input.parentEventId),
      proof: draft.object('proof', proof),
      retention_days: checkRetentionDays(draft, input.retentionDays),
      severity: checkSeverity(draft, input.severity),
      source_ip: checkSourceIp(draft, input.sourceIp),
      source_service: this.#options.service,
      span_id: draft.identifier('span_id', input.spanId ?? trace?.spanId),
      target_id: draft.identifier('target_id', input.targetId),
      target_type: draft.identifier('target_type', input.targetType),
      tenant_id,
      timestamp: checkTimestamp(draft, input.timestamp, now),
      trace_id: draft.identifier('trace_id', input.traceId ?? trace?.traceId),
      user_agent: draft.identifier('user_agent', input.userAgent, limits.maxUserAgentLength),
    });
    if (event.bytes >= minCheckedLength && draft.violations.length === 0) checkSize(event, draft);
    if (draft.violations.length > 0) event.violations = draft.violations;
    return event;
  }

  /** The event's metadata, with the members that are not fields if the options say so. Otherwise such members refuse the event. */
  #metadataOf(draft: EventDraft, input: AnyEventInput): AnyEventInput['metadata'] {
    const unknown = findUnknownFields(input);
    if (unknown === undefined) return input.metadata;
    if (this.#options.unknownFields !== 'metadata') {
      refuseUnknownFields(draft, unknown);
      return input.metadata;
    }
    const { metadata, clashes } = addToMetadata(input, unknown);
    refuseUnknownFields(draft, clashes);
    return metadata;
  }

  /** If the tracing library throws, the event is emitted without a span. */
  #activeTrace(): TraceContext | undefined {
    try {
      return this.#options.activeTrace();
    } catch {
      return undefined;
    }
  }
}

const outcomeStatusSet: ReadonlySet<unknown> = new Set(outcomeStatuses);

/** Whether an outcome has a valid status and no error. This is the common case, and it needs no check of its shape. */
function isStatusOnly(outcome: unknown): boolean {
  try {
    const { outcome_status, error_code, error_message } = outcome as { [member: string]: unknown };
    return error_code === undefined && error_message === undefined && outcomeStatusSet.has(outcome_status);
  } catch {
    return false;
  }
}

/**
 * A shorter event is within both limits of {@link checkSize}: a member takes at least five characters (`"":1,`), and JSON
 * writes a character with at most six bytes.
 */
const minCheckedLength = Math.min(limits.maxKeys * 5, limits.maxEventBytes / 6);

const utf8 = new TextEncoder();

function checkSize({ text }: EncodedEvent, draft: EventDraft): void {
  if (hasTooManyMembers(text)) {
    draft.refuse('EVENT_TOO_MANY_KEYS', '', `must have at most ${limits.maxKeys} object members in total`);
  }
  if (text.length * 3 > limits.maxEventBytes && utf8.encode(text).length > limits.maxEventBytes) {
    draft.refuse('EVENT_TOO_LARGE', '', `must be at most ${limits.maxEventBytes} bytes`);
  }
}
