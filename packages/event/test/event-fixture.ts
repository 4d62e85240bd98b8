import type { AuditEvent } from '../src/schema/event.ts';

/** 2026-03-01T12:00:00Z: the clock of these tests. */
export const now = Date.UTC(2026, 2, 1, 12);

/** A valid event that a test changes in one place. */
export function event(changes: { [field: string]: unknown } = {}): AuditEvent & { [field: string]: unknown } {
  return {
    audit_id: '019ca940-0000-7000-8000-000000000001',
    tenant_id: 'acme',
    timestamp: '2026-03-01T11:59:59.123Z',
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: 'u-1',
    source_service: 'cms',
    ...changes,
  } as AuditEvent & { [field: string]: unknown };
}
