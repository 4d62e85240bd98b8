import { expect, it } from 'vitest';
import { recentSubjects } from '../../../src/site/timeline/recent-subjects.ts';

it('names each investigation, trace or correlation once, with its newest types', () => {
  const found = recentSubjects([
    { event_type: 'alert.closed', investigation_id: 'a', trace_id: 't', timestamp: '2026-03-01T12:00:03Z' },
    { event_type: 'http.request', trace_id: 't', timestamp: '2026-03-01T12:00:02Z' },
    { event_type: 'alert.opened', investigation_id: 'a', timestamp: '2026-03-01T12:00:01Z' },
    { event_type: 'alert.opened', investigation_id: 'a', timestamp: '2026-03-01T12:00:00Z' },
    { event_type: 'auth.login', timestamp: '2026-03-01T12:00:00Z' },
  ]);
  expect(found).toEqual([
    {
      ...{ field: 'investigation_id', title: 'Investigation', id: 'a', events: 3 },
      ...{ newest: '2026-03-01T12:00:03Z', types: ['alert.closed', 'alert.opened'] },
    },
    {
      ...{ field: 'trace_id', title: 'Trace', id: 't', events: 1 },
      ...{ newest: '2026-03-01T12:00:02Z', types: ['http.request'] },
    },
  ]);
});
