import { type TimelineRecord, timelineRecord } from '@tallystick/protocol';

/** A record for tests, `at` milliseconds after the beginning. */
export function recordOf({ at = 0, ...event }: { at?: number; [member: string]: unknown }): TimelineRecord {
  return timelineRecord({
    event_type: 'app.happened',
    actor_type: 'service',
    actor_id: 'app',
    timestamp: new Date(Date.UTC(2026, 2, 1) + at).toISOString(),
    ingested_at: '2026-03-01T00:01:00.000Z',
    sequence_number: at,
    ...event,
  });
}
