import type { AuditEventInput } from '../../src/index.ts';

export function someEvent(over: Partial<AuditEventInput> = {}): AuditEventInput {
  return {
    tenantId: 'acme',
    eventType: 'order.refunded',
    actorType: 'user',
    actorId: 'u-17',
    targetType: 'order',
    targetId: 'o-1',
    outcome: 'success',
    ...over,
  } as AuditEventInput;
}
