import type { AuditEvent } from '@tallystick/event';

/** A trail as a story: each event, its parent, and how it ended, such as `action.decided < action.intended: denied`. */
export function story(events: readonly AuditEvent[]): string[] {
  const names = new Map<string | undefined, string>();
  const seen = new Map<string, number>();
  for (const { audit_id, event_type } of events) {
    const count = (seen.get(event_type) ?? 0) + 1;
    seen.set(event_type, count);
    names.set(audit_id, `${event_type.replace('agent.', '')}${count > 1 ? ` ${count}` : ''}`);
  }
  return events.map(({ audit_id, parent_id, outcome }) => {
    const parent = parent_id === undefined ? '' : ` < ${names.get(parent_id)}`;
    return `${names.get(audit_id)}${parent}: ${outcome?.outcome_status}`;
  });
}
