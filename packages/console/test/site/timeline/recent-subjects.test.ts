import type { EventView } from '@tallystick/protocol';
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
      ...{ field: 'investigation_id', title: 'Investigation', id: 'a', events: 3, headline: undefined },
      ...{ newest: '2026-03-01T12:00:03Z', facts: ['alert.closed', 'alert.opened'] },
    },
    {
      ...{ field: 'trace_id', title: 'Trace', id: 't', events: 1, headline: undefined },
      ...{ newest: '2026-03-01T12:00:02Z', facts: ['http.request'] },
    },
  ]);
});

it('says what an investigation is about, its newest state, who decided, and what models cost', () => {
  const of = (event: EventView): EventView => ({ investigation_id: 'a', ...event });
  const call = { llm_model_id: 'm', llm_cost_usd: 0.25 };
  const [found] = recentSubjects([
    of({
      event_type: 'investigation.state_changed',
      outcome: { state_before: 'open', state_after: 'closed' },
    }),
    of({ event_type: 'approval.denied', actor_id: 'desk', outcome: { approval_received_from: 'jo' } }),
    of({ event_type: 'approval.granted', actor_id: 'mia' }),
    of({ event_type: 'approval.granted', actor_id: 'mia' }),
    of({ event_type: 'injection.quarantined' }),
    of({ event_type: 'agent.model.called', context: call }),
    of({ event_type: 'agent.model.called', context: { ...call, report_title: 'not the first' } }),
    of({ event_type: 'investigation.state_changed', outcome: { state_before: 'none', state_after: 'open' } }),
    of({ event_type: 'alert.classified', context: { alert_title: ' PLC setpoint ' } }),
    // Any member may be anything.
    of({ event_type: 7, context: 'no object', outcome: null }),
    of({ event_type: 'alert.classified', context: { title: ['no text'], _title: '' } }),
  ] as EventView[]);
  expect(found).toMatchObject({
    headline: 'PLC setpoint',
    facts: ['closed', 'granted by mia', 'denied by jo', '2 model calls, $0.50', 'kept from a model'],
  });
});
