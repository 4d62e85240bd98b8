import type { AnyEventInput } from './input.ts';
import { timestampText } from './timestamp-writer.ts';

/** The compiler checks that no member is missing. */
const memberNames: { readonly [K in keyof Required<AnyEventInput>]: true } = {
  auditId: true,
  tenantId: true,
  clientId: true,
  timestamp: true,
  eventType: true,
  actionType: true,
  eventCategory: true,
  eventAction: true,
  severity: true,
  actorType: true,
  actorId: true,
  actorPermissions: true,
  targetType: true,
  targetId: true,
  investigationId: true,
  alertId: true,
  entityIds: true,
  correlationId: true,
  traceId: true,
  spanId: true,
  parentEventId: true,
  namespace: true,
  cluster: true,
  retentionDays: true,
  isSensitive: true,
  context: true,
  decision: true,
  outcome: true,
  proof: true,
  eventData: true,
  metadata: true,
};

const unreadable = '[Unreadable]';

/**
 * A copy of an event with a getter that throws. The text `[Unreadable]` replaces the value of such a member. It is a valid
 * identifier; for a member of another form it is invalid, and the event is then refused because of its data.
 */
export function readableCopy(event: AnyEventInput): AnyEventInput {
  const copy: { [member: string]: unknown } = {};
  for (const name of Object.keys(memberNames) as (keyof AnyEventInput)[]) {
    try {
      const value: unknown = event[name];
      // One item more than a list may have, so that a list that is too long is still refused.
      if (Array.isArray(value)) copy[name] = value.slice(0, 1_001);
      else copy[name] = name === 'timestamp' ? timestampText(value) : value;
    } catch {
      copy[name] = unreadable;
    }
  }
  return copy as unknown as AnyEventInput;
}
