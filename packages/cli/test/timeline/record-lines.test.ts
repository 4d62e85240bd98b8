import { expect, test } from 'vitest';
import { namingOf } from '../../src/timeline/naming.ts';
import { detailsOf, headOf } from '../../src/timeline/record-lines.ts';
import { recordOf } from './record-of.ts';

const nameOf = namingOf({
  subject: { investigation_id: 'inv-1' },
  records: [recordOf({ audit_id: 'e-1', at: 4 })],
});
const head = (event: Parameters<typeof recordOf>[0]) => headOf(recordOf(event), nameOf);
const details = (event: Parameters<typeof recordOf>[0]) => detailsOf(recordOf(event), nameOf);

test('the first line names state, action, end and actor', () => {
  expect(
    head({ outcome: { state_before: 'received', state_after: 'closed', outcome_status: 'success' } }),
  ).toBe('app.happened, received → closed, by app');
  expect(head({ event_type: 'response.generated', outcome: { state_after: 'closed' } })).toBe(
    'response.generated, → closed, by app',
  );
  expect(
    head({
      event_type: 'response.executed',
      severity: 'warning',
      outcome: { action_taken: 'block_ip', action_target: 'investigation:inv-1', outcome_status: 'failure' },
    }),
  ).toBe('response.executed, block_ip this investigation, failure, warning, by app');
  expect(
    head({
      event_type: 'approval.denied',
      actor_type: 'user',
      actor_id: 'mia',
      context: { action: 'stop_line' },
      outcome: { state_after: 'denied', outcome_status: 'denied' },
    }),
  ).toBe('approval.denied, denied stop_line, denied, by user:mia');
});

test('a record that the service does not show, or that a client wrote in its name, is marked', () => {
  expect(head({ redacted: true, actor_id: undefined })).toBe('(sensitive)');
  expect(head({ damaged: true, actor_id: undefined })).toBe('(damaged)');
  expect(head({ event_type: 'approval.granted', claimed: true })).toBe(
    'approval.granted (claimed by a client), granted, by app',
  );
});

test('the lines below give reason, policy, evidence, approver and error', () => {
  expect(
    details({
      context: {
        evidence_refs: ['alert-1', 'e-1', 'inv-1'],
        reason_unverified: 'the user asked',
        techniques_quarantined: ['T9999'],
      },
      decision: {
        reason: 'too large',
        policy: { name: 'soc', version: '2' },
        rule: 'tier-3',
        constraints_applied: ['two people'],
      },
      outcome: {
        approval_received_from: 'mia',
        approval_latency_ms: 90_000,
        approval_comment: 'not during the shift',
        error_code: 'APPROVAL_DENIED',
        error_message: 'denied',
        duration_ms: 12,
        reference: 'change-7',
      },
      metadata: { decisions: 1, decisions_required: 2 },
    }),
  ).toEqual([
    ['why', 'too large'],
    ['stated', 'the user asked'],
    ['policy', 'soc 2, rule tier-3'],
    ['limits', 'two people'],
    ['evidence', 'alert-1, #4, this investigation'],
    ['removed', 'T9999'],
    ['person', 'mia, after 1 m 30 s, decision 1 of 2, comment: not during the shift'],
    ['error', 'APPROVAL_DENIED: denied'],
    ['result', 'reference change-7, took 12 ms'],
  ]);
});

test('members of other types than expected are left out', () => {
  const wrong = { reasoning_summary: 7, policy: [], confidence: 'high', constraints_applied: 'all' };
  expect(details({ decision: wrong, context: null, outcome: 'done' })).toEqual([]);
  expect(head({ decision: wrong, context: 5, outcome: null })).toBe('app.happened, by app');
});
