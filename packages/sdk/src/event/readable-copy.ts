import type { AnyEventInput } from './input.ts';
import { timestampText } from './parts.ts';

const members: { readonly [K in keyof Required<AnyEventInput>]: true } = {
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
 * What can be read of an event with a member that throws. Where that stood, it says so: a name is kept like that, and
 * what must have another form is refused, as it is for any other wrong value.
 */
export function readableCopy(event: AnyEventInput): AnyEventInput {
  const copy: { [member: string]: unknown } = {};
  for (const name of Object.keys(members) as (keyof AnyEventInput)[]) {
    try {
      const value: unknown = event[name];
      // One more than an event may have, so that too many are still too many.
      if (Array.isArray(value)) copy[name] = value.slice(0, 1_001);
      else copy[name] = name === 'timestamp' ? timestampText(value) : value;
    } catch {
      copy[name] = unreadable;
    }
  }
  return copy as unknown as AnyEventInput;
}
