/**
 * Checks of the fields that have a form of their own. An invalid value is recorded as a violation of the draft: it is a fault
 * of data, and `emit()` does not throw for it.
 */
import {
  actorTypes,
  ipPattern,
  isServiceActor,
  limits,
  parseTimestamp,
  severities,
  tenantIdPattern,
  uuidPattern,
  uuidv7,
  uuidv7Time,
} from '@tallystick/event';
import type { EventDraft } from './event-draft.ts';
import { type DetachedString, detachString } from './strings.ts';
import { timestampFault, timestampText } from './timestamps.ts';

const actorTypeSet: ReadonlySet<unknown> = new Set(actorTypes);
const severitySet: ReadonlySet<unknown> = new Set(severities);

/** Checks tenant ids and remembers the valid ones. */
export class TenantIds {
  /** Bounded, since a program may make tenant ids from data. */
  readonly #valid = new Map<unknown, DetachedString>();

  check(draft: EventDraft, given: unknown): string {
    const known = this.#valid.get(given);
    if (known !== undefined) return known;
    if (typeof given !== 'string' || !tenantIdPattern.test(given)) {
      draft.refuse('TENANT_ID_INVALID', '/tenant_id', `must match ${tenantIdPattern.source}`);
      return given as string;
    }
    const tenantId = detachString(given);
    if (this.#valid.size < 1_000) this.#valid.set(tenantId, tenantId);
    return tenantId;
  }
}

/** Always returns a valid id, also for an event that is refused: error reports name the event by it. */
export function checkAuditId(draft: EventDraft, given: unknown, now: number): string {
  if (given === undefined || given === null) return uuidv7(now);
  if (typeof given === 'string' && uuidPattern.test(given)) {
    if ((uuidv7Time(given) ?? 0) > now + limits.maxAheadMs) {
      draft.refuse('AUDIT_ID_AHEAD', '/audit_id', 'must contain a time at most one hour ahead of the clock');
    }
    return detachString(given);
  }
  draft.refuse('AUDIT_ID_INVALID', '/audit_id', 'must be a lower-case UUID');
  return uuidv7(now);
}

export function checkActorType(draft: EventDraft, given: unknown): void {
  if (actorTypeSet.has(given)) return;
  draft.refuse('FIELD_ENUM', '/actor_type', `must be one of ${actorTypes.join(', ')}`);
}

/** @param pointer to the actor's id */
export function checkServiceActor(draft: EventDraft, type: unknown, id: unknown, pointer: string): void {
  if (!isServiceActor(type, id)) return;
  draft.refuse('ACTOR_RESERVED', pointer, 'must not name the audit service, which is system/tallystick');
}

/** @returns RFC 3339 text, or `undefined` for an absent or invalid time */
export function checkTimestamp(draft: EventDraft, given: unknown, now: number): DetachedString | undefined {
  if (given === undefined || given === null) return undefined;
  const text = timestampText(given);
  const ms = typeof text === 'string' ? parseTimestamp(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    draft.refuse('TIMESTAMP_INVALID', '/timestamp', timestampFault(given));
    return undefined;
  }
  if (ms > now + limits.maxAheadMs) {
    draft.refuse('TIMESTAMP_AHEAD', '/timestamp', 'must be at most one hour ahead of the clock');
  }
  return detachString(text as string);
}

export function checkRetentionDays(draft: EventDraft, days: unknown): number | undefined {
  if (days === undefined || days === null) return undefined;
  if (Number.isInteger(days) && (days as number) >= 1 && (days as number) <= 36_500) return days as number;
  draft.refuse('FIELD_RANGE', '/retention_days', 'must be an integer from 1 to 36500');
  return undefined;
}

export function checkSeverity(draft: EventDraft, severity: unknown): string | undefined {
  if (severity === undefined || severity === null) return undefined;
  if (severitySet.has(severity)) return severity as string;
  draft.refuse('FIELD_ENUM', '/severity', `must be one of ${severities.join(', ')}`);
  return undefined;
}

export function checkSourceIp(draft: EventDraft, address: unknown): DetachedString | undefined {
  if (address === undefined || address === null || address === '') return undefined;
  if (typeof address === 'string' && address.length <= 45 && ipPattern.test(address))
    return detachString(address);
  draft.refuse(
    'FIELD_FORMAT',
    '/source_ip',
    'must be an IPv4 or IPv6 address without port, prefix length or zone',
  );
  return undefined;
}
