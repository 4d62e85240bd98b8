/**
 * From the caller's object to the event's wire text, which is also the copy: later changes to the object change
 * nothing. Members are written in sorted order, so that the service finds the top level canonical already.
 */
import {
  AuditValidationError,
  actorTypes,
  eventDataShape,
  limits,
  outcomeShape,
  outcomeStatuses,
  parseTimestamp,
  proofShape,
  severities,
  type Taxonomy,
  tenantIdPattern,
  uuidPattern,
  uuidv7,
  uuidv7Time,
  type Violation,
} from '@tallystick/event';
import type { TraceContext } from '../observe/correlation.ts';
import { Draft } from './draft.ts';
import { EncodedEvent } from './encoded-event.ts';
import type { AnyEventInput } from './input.ts';
import { timestampText, wireAftermath, wireEventData, wireProof } from './parts.ts';
import { hasTooManyMembers } from './plain.ts';
import { TypeCheck } from './type-check.ts';
import { own } from './wire.ts';

export interface EncoderOptions {
  readonly service: string;
  readonly tenantId?: string | undefined;
  readonly taxonomy?: Taxonomy | undefined;
  readonly now: () => number;
  readonly activeTrace: () => TraceContext | undefined;
}

const actors: ReadonlySet<unknown> = new Set(actorTypes);
const outcomeWords: ReadonlySet<unknown> = new Set(outcomeStatuses);
const severityWords: ReadonlySet<unknown> = new Set(severities);

export class EventEncoder {
  readonly #options: EncoderOptions;
  readonly #types: TypeCheck;
  readonly #tenants = new Map<unknown, string>();

  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#types = new TypeCheck(options.taxonomy);
  }

  /**
   * @throws {AuditValidationError} for a programming error: no tenant, type or actor; a type that the taxonomy does
   *   not have, or a payload that is not of its shape. Faults of data are returned, as `violations`.
   */
  encode(input: AnyEventInput, firstArgument?: string): EncodedEvent {
    if (typeof input !== 'object' || input === null) throw missing('event', '');
    const tenantId = input.tenantId ?? input.clientId ?? this.#options.tenantId;
    if (tenantId === undefined || tenantId === '') throw missing('tenantId (or clientId)', '/tenant_id');
    const eventType = firstArgument ?? input.eventType ?? input.actionType;
    if (typeof eventType !== 'string' || eventType === '')
      throw missing('eventType (or actionType)', '/event_type');
    if (input.actorType == null) throw missing('actorType', '/actor_type');
    const { actorId } = input;
    if (actorId == null || actorId === '') throw missing('actorId', '/actor_id');
    const draft = new Draft();

    const { type: event_type, declared } = this.#types.find(eventType);
    const now = this.#options.now();
    const audit_id = this.#auditId(draft, input, now);
    const tenant_id = this.#tenants.get(tenantId) ?? this.#tenant(draft, tenantId);
    if (!actors.has(input.actorType)) {
      draft.refuse('FIELD_ENUM', '/actor_type', `must be one of ${actorTypes.join(', ')}`);
    }
    if (input.eventCategory != null && declared !== undefined && input.eventCategory !== declared.category) {
      throw invalid(
        'EVENT_CATEGORY_MISMATCH',
        '/event_category',
        `must be ${declared.category} for ${eventType}`,
      );
    }

    const trace =
      input.traceId == null && (input.correlationId == null || input.spanId == null)
        ? this.#activeTrace()
        : undefined;
    const { outcome, metadata } = wireAftermath(input.outcome, input.metadata);
    const proof = input.proof == null ? undefined : wireProof(input.proof);
    const eventData =
      input.eventData == null ? undefined : wireEventData(input.eventData, this.#options.service);
    if (outcome != null && !isPlainOutcome(outcome)) {
      draft.check('outcome', outcome, outcomeShape, draft.found);
    }
    if (proof != null) draft.check('proof', proof, proofShape, draft.found);
    if (eventData != null) draft.check('event_data', eventData, eventDataShape, draft.found);
    if (declared !== undefined) {
      const { context, decision } = input;
      declared.check(draft, { context, decision, outcome, proof, event_data: eventData, metadata });
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
      investigation_id: draft.identifier('investigation_id', input.investigationId),
      is_sensitive: input.isSensitive == null ? undefined : Boolean(input.isSensitive),
      metadata: draft.object('metadata', metadata),
      namespace: draft.identifier('namespace', input.namespace),
      outcome: draft.object('outcome', outcome),
      parent_id: draft.identifier('parent_id', input.parentEventId),
      proof: draft.object('proof', proof),
      retention_days: this.#days(draft, input.retentionDays),
      severity: this.#severity(draft, input.severity),
      source_service: this.#options.service,
      span_id: draft.identifier('span_id', input.spanId ?? trace?.spanId),
      target_id: draft.identifier('target_id', input.targetId),
      target_type: draft.identifier('target_type', input.targetType),
      tenant_id,
      timestamp: this.#timestamp(draft, input.timestamp, now),
      trace_id: draft.identifier('trace_id', input.traceId ?? trace?.traceId),
    });
    if (event.bytes >= leastToCount && draft.found.length === 0) checkSize(event, draft);
    if (draft.found.length > 0) event.violations = draft.found;
    return event;
  }

  /** Tenants are fewer than events. Those made up from data must not fill the memory with them. */
  #tenant(draft: Draft, given: unknown): string {
    if (typeof given !== 'string' || !tenantIdPattern.test(given)) {
      draft.refuse('TENANT_ID_INVALID', '/tenant_id', `must match ${tenantIdPattern.source}`);
      return given as string;
    }
    const tenant = own(given);
    if (this.#tenants.size < 1_000) this.#tenants.set(tenant, tenant);
    return tenant;
  }

  /** Always a real identity, also for an event that is refused: reports refer to it. */
  #auditId(draft: Draft, input: AnyEventInput, now: number): string {
    if (input.auditId == null) return uuidv7(now);
    if (typeof input.auditId === 'string' && uuidPattern.test(input.auditId)) {
      if ((uuidv7Time(input.auditId) ?? 0) > now + limits.maxAheadMs) {
        draft.refuse(
          'AUDIT_ID_AHEAD',
          '/audit_id',
          'must not carry a time more than an hour ahead of the clock',
        );
      }
      return own(input.auditId);
    }
    draft.refuse('AUDIT_ID_INVALID', '/audit_id', 'must be a lower-case UUID');
    return uuidv7(now);
  }

  #timestamp(draft: Draft, given: unknown, now: number): string | undefined {
    if (given === undefined || given === null) return undefined;
    const text = timestampText(given);
    const ms = typeof text === 'string' ? parseTimestamp(text) : Number.NaN;
    if (Number.isNaN(ms)) {
      draft.refuse('TIMESTAMP_INVALID', '/timestamp', 'must be a date, or RFC 3339 text in UTC');
      return undefined;
    }
    if (ms > now + limits.maxAheadMs) {
      draft.refuse('TIMESTAMP_AHEAD', '/timestamp', 'must not lie more than an hour ahead of the clock');
    }
    return own(text as string);
  }

  #days(draft: Draft, days: unknown): number | undefined {
    if (days === undefined || days === null) return undefined;
    if (Number.isInteger(days) && (days as number) >= 1 && (days as number) <= 36_500) return days as number;
    draft.refuse('FIELD_RANGE', '/retention_days', 'must be in 1 to 36500');
    return undefined;
  }

  #severity(draft: Draft, severity: unknown): string | undefined {
    if (severity === undefined || severity === null) return undefined;
    if (severityWords.has(severity)) return severity as string;
    draft.refuse('FIELD_ENUM', '/severity', `must be one of ${severities.join(', ')}`);
    return undefined;
  }

  /** A fault of the tracing is none of the caller's: the event goes without a span. */
  #activeTrace(): TraceContext | undefined {
    try {
      return this.#options.activeTrace();
    } catch {
      return undefined;
    }
  }
}

/** The common case needs no check: a known word, and neither code nor message. */
function isPlainOutcome(outcome: unknown): boolean {
  try {
    const { outcome_status, error_code, error_message } = outcome as { [member: string]: unknown };
    return error_code === undefined && error_message === undefined && outcomeWords.has(outcome_status);
  } catch {
    return false;
  }
}

/** A member takes five characters at least, `"":1,`, and a character six bytes at most: below this both limits hold. */
const leastToCount = Math.min(limits.maxKeys * 5, limits.maxEventBytes / 6);

function checkSize({ text }: EncodedEvent, draft: Draft): void {
  if (hasTooManyMembers(text)) {
    draft.refuse('EVENT_TOO_MANY_KEYS', '', `must have at most ${limits.maxKeys} object members in all`);
  }
  if (text.length * 3 > limits.maxEventBytes && Buffer.byteLength(text) > limits.maxEventBytes) {
    draft.refuse('EVENT_TOO_LARGE', '', `must be at most ${limits.maxEventBytes} bytes`);
  }
}

function invalid(code: Violation['code'], pointer: string, message: string): AuditValidationError {
  return new AuditValidationError([{ code, pointer, message }]);
}

export function missing(field: string, pointer: string): AuditValidationError {
  return invalid('FIELD_REQUIRED', pointer, `${field} is required`);
}
