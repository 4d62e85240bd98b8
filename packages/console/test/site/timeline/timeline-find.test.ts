import { expect, it } from 'vitest';
import { findTextOf, isFound } from '../../../src/site/timeline/timeline-find.tsx';

const entry = {
  ...{ depth: 0, is_root: true, elapsed_ms: 0, duration_ms: 0 },
  event: {
    ...{ audit_id: 'a', event_type: 'agent.tool.called', severity: 'warning' },
    ...{ actor_type: 'agent', actor_id: 'triage', context: { llm_model_id: 'Whale-2' } },
    ...{ decision: { reasoning_summary: 'a known beacon' }, outcome: { outcome_status: 'failure' } },
  },
};

it('finds a line by what it shows: type, actor, reason, model, outcome and severity, in any case', () => {
  const finds = (text: string) => isFound(entry, findTextOf(new URLSearchParams({ find: text })), 'inv-1');
  for (const text of ['TOOL.called', 'triage', 'Known beacon', 'whale', 'failure', 'warn', '', '  '])
    expect([text, finds(text)]).toEqual([text, true]);
  for (const text of ['audit_id', 'success', 'x'.repeat(500)])
    expect([text, finds(text)]).toEqual([text, false]);
});
