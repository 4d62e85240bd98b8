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
import type { Entry } from '../delivery/entry.ts';
import type { TraceContext } from '../observe/correlation.ts';
import { Draft } from './draft.ts';
import type { AuditEventInput } from './input.ts';
import { timestampText, wireAftermath, wireEventData, wireProof } from './parts.ts';
import { hasTooManyMembers } from './plain.ts';
import { TimestampWriter } from './stamp.ts';
import { TypeCheck } from './type-check.ts';

/** An event ready to be delivered, or, where `violations` is not empty, refused for its data. */
export interface EncodedEvent extends Entry {
  readonly violations: readonly Violation[];
}

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
  readonly #timestamps = new TimestampWriter();
  readonly #sourceService: string;
  readonly #tenants = new Set<unknown>();

  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#types = new TypeCheck(options.taxonomy);
    this.#sourceService = JSON.stringify(options.service);
  }

  /**
   * @throws {AuditValidationError} for a programming error: no tenant, type or actor; a type that the taxonomy does
   *   not have, or a payload that is not of its shape. Faults of data are returned, as `violations`.
   */
  encode(input: AuditEventInput, type?: string): EncodedEvent {
    if (typeof input !== 'object' || input === null) throw missing('event', '');
    const tenantId = input.tenantId ?? input.clientId ?? this.#options.tenantId;
    if (tenantId === undefined || tenantId === '') throw missing('tenantId (or clientId)', '/tenant_id');
    const eventType = type ?? input.eventType ?? input.actionType;
    if (typeof eventType !== 'string' || eventType === '')
      throw missing('eventType (or actionType)', '/event_type');
    if (input.actorType == null) throw missing('actorType', '/actor_type');
    const draft = new Draft();
    const actorId = draft.identifier('actor_id', input.actorId);
    if (actorId === undefined && draft.found.length === 0) throw missing('actorId', '/actor_id');

    const declared = this.#types.find(eventType);
    const now = this.#options.now();
    const id = this.#auditId(draft, input, now);
    if (!this.#isTenant(tenantId)) {
      draft.refuse('TENANT_ID_INVALID', '/tenant_id', `must match ${tenantIdPattern.source}`);
    }
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
        ? this.#options.activeTrace()
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

    const field = (name: string, value: unknown, maxLength?: number): string => {
      if (value === undefined || value === null) return '';
      const written = draft.identifier(name, value, maxLength);
      return written === undefined ? '' : `,"${name}":${written}`;
    };
    const part = (name: string, value: unknown): string => {
      if (value === undefined || value === null) return '';
      return `,"${name}":${draft.object(name, value)}`;
    };

    let text = `{"actor_id":${actorId}`;
    if (input.actorPermissions != null) {
      text += `,"actor_permissions":${draft.identifiers('actor_permissions', input.actorPermissions)}`;
    }
    text += `,"actor_type":"${input.actorType}"${field('alert_id', input.alertId)},"audit_id":"${id}"`;
    text += field('cluster', input.cluster) + part('context', input.context);
    text += field('correlation_id', input.correlationId ?? input.traceId ?? trace?.traceId);
    text += part('decision', input.decision);
    if (input.entityIds != null) text += `,"entity_ids":${draft.identifiers('entity_ids', input.entityIds)}`;
    text += field('event_action', input.eventAction, 128);
    text += field('event_category', input.eventCategory ?? declared?.category, 64);
    text += `${part('event_data', eventData)},"event_type":"${eventType}"`;
    text += field('investigation_id', input.investigationId);
    if (input.isSensitive != null) text += `,"is_sensitive":${Boolean(input.isSensitive)}`;
    text += part('metadata', metadata) + field('namespace', input.namespace) + part('outcome', outcome);
    text += field('parent_id', input.parentEventId) + part('proof', proof);
    if (input.retentionDays != null) text += `,"retention_days":${this.#days(draft, input.retentionDays)}`;
    if (input.severity != null) {
      if (!severityWords.has(input.severity)) {
        draft.refuse('FIELD_ENUM', '/severity', `must be one of ${severities.join(', ')}`);
      }
      text += `,"severity":"${input.severity}"`;
    }
    text += `,"source_service":${this.#sourceService}${field('span_id', input.spanId ?? trace?.spanId)}`;
    text += field('target_id', input.targetId) + field('target_type', input.targetType);
    text += `,"tenant_id":"${tenantId}","timestamp":"${this.#timestamp(draft, input.timestamp, now)}"`;
    text += `${field('trace_id', input.traceId ?? trace?.traceId)}}`;

    const bytes = text.length;
    if (hasTooManyMembers(text)) {
      draft.refuse('EVENT_TOO_MANY_KEYS', '', `must have at most ${limits.maxKeys} object members in all`);
    }
    if (bytes * 3 > limits.maxEventBytes && Buffer.byteLength(text) > limits.maxEventBytes) {
      draft.refuse('EVENT_TOO_LARGE', '', `must be at most ${limits.maxEventBytes} bytes`);
    }
    return {
      id,
      tenantId,
      eventType,
      createdAt: now,
      text,
      bytes,
      sequence: 0,
      waiter: undefined,
      sent: false,
      prepared: false,
      row: 0,
      violations: draft.found,
    };
  }

  /** Tenants are fewer than events. Those made up from data must not fill the memory with them. */
  #isTenant(tenantId: unknown): tenantId is string {
    if (this.#tenants.has(tenantId)) return true;
    if (typeof tenantId !== 'string' || !tenantIdPattern.test(tenantId)) return false;
    if (this.#tenants.size < 1_000) this.#tenants.add(tenantId);
    return true;
  }

  /** Always a real identity, also for an event that is refused: reports refer to it. */
  #auditId(draft: Draft, input: AuditEventInput, now: number): string {
    if (input.auditId == null) return uuidv7(now);
    if (typeof input.auditId === 'string' && uuidPattern.test(input.auditId)) {
      if ((uuidv7Time(input.auditId) ?? 0) > now + limits.maxAheadMs) {
        draft.refuse(
          'AUDIT_ID_AHEAD',
          '/audit_id',
          'must not carry a time more than an hour ahead of the clock',
        );
      }
      return input.auditId;
    }
    draft.refuse('AUDIT_ID_INVALID', '/audit_id', 'must be a lower-case UUID');
    return uuidv7(now);
  }

  #timestamp(draft: Draft, given: unknown, now: number): string {
    if (given == null) return this.#timestamps.write(now);
    const text = timestampText(given);
    const ms = typeof text === 'string' ? parseTimestamp(text) : Number.NaN;
    if (Number.isNaN(ms)) {
      draft.refuse('TIMESTAMP_INVALID', '/timestamp', 'must be a date, or RFC 3339 text in UTC');
      return '';
    }
    if (ms > now + limits.maxAheadMs) {
      draft.refuse('TIMESTAMP_AHEAD', '/timestamp', 'must not lie more than an hour ahead of the clock');
    }
    return text as string;
  }

  #days(draft: Draft, days: unknown): string {
    if (Number.isInteger(days) && (days as number) >= 1 && (days as number) <= 36_500) return String(days);
    draft.refuse('FIELD_RANGE', '/retention_days', 'must be in 1 to 36500');
    return '';
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

function invalid(code: Violation['code'], pointer: string, message: string): AuditValidationError {
  return new AuditValidationError([{ code, pointer, message }]);
}

export function missing(field: string, pointer: string): AuditValidationError {
  return invalid('FIELD_REQUIRED', pointer, `${field} is required`);
}
