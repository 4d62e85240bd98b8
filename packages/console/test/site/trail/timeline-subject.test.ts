import { expect, it } from 'vitest';
import { apiSubject, subjectIdOf, subjectOf } from '../../../src/site/trail/timeline-subject.ts';

it('reads one subject from an address, a run of an agent too', () => {
  const subject = subjectOf(new URLSearchParams('tenant=acme&trace_id=&run_id=r1'));
  expect(subject).toEqual({ field: 'run_id', title: 'Agent run', id: 'r1' });
  expect(apiSubject(subject!)).toEqual({ run_id: 'r1' });
  expect(subjectOf(new URLSearchParams('tenant=acme'))).toBeUndefined();
});

it('finds the run in its first and its last record only, and where its records can be found', () => {
  const first = { event_type: 'agent.run.started', audit_id: 'r1', correlation_id: 'c' };
  const last = { event_type: 'agent.run.completed', audit_id: 'r9', parent_id: 'r1', correlation_id: 'c' };
  const { correlation_id: _, ...alone } = first;
  const call = { ...last, event_type: 'agent.model.called' };
  expect([first, last, alone, call].map((event) => subjectIdOf(event, 'run_id'))).toEqual([
    ...['r1', 'r1'],
    ...[undefined, undefined],
  ]);
});
