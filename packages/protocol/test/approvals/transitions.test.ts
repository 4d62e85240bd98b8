import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Approval,
  type ApprovalRules,
  type ApprovalStep,
  advanceApproval,
  claimApproval,
  decideApproval,
  defaultApprovalRules,
  nextDeadlineOf,
  openApproval,
  type SubmittedClaim,
  type SubmittedDecision,
  withdrawApproval,
} from '../../src/index.ts';

const start = Date.parse('2026-11-28T12:00:00Z');
const digest = `sha256:${'a'.repeat(64)}`;
const document = {
  tenant_id: 'acme',
  action: 'refund',
  actor: { actor_type: 'agent', actor_id: 'refund-bot' },
  on_behalf_of: [{ actor_type: 'user', actor_id: 'tom' }],
  arguments: { amount: 40 },
  policy: { name: 'p', version: '1' },
} as const;

const open = (rules: Partial<ApprovalRules> = {}, hidden?: Record<string, string>): ApprovalStep =>
  openApproval(
    {
      id: '019ca97b-f880-7000-8000-000000000002',
      intent_id: '019ca97b-f880-7000-8000-000000000001',
      document: hidden === undefined ? document : { ...document, hidden },
      document_digest: digest,
      requester: 'service:refunds',
      rules: { ...defaultApprovalRules, ...rules },
    },
    start,
  );
const after = (step: ApprovalStep): Approval => {
  if ('refused' in step) throw new Error(step.refused);
  return step.approval;
};
const types = (step: ApprovalStep) =>
  'refused' in step ? step.refused : step.transitions.map(({ type }) => type);
const decide = (approval: Approval, decision: Partial<SubmittedDecision>, now = start + 1) =>
  decideApproval(approval, { subject: 'maria', verdict: 'grant', document_digest: digest, ...decision }, now);
const claim = (approval: Approval, over: Partial<SubmittedClaim> = {}, now = start + 2) =>
  claimApproval(
    approval,
    { subject: 'service:refunds', attempt: '1', document_digest: digest, openings_valid: true, ...over },
    now,
  );

test('requested, granted, claimed: once', () => {
  const pending = open();
  expect(types(pending)).toEqual(['approval.requested']);
  const granted = decide(after(pending), { comment: 'the customer is right' });
  expect(granted).toMatchObject({
    approval: { state: 'granted', claim_before: '2026-11-28T12:15:00.001Z' },
    transitions: [{ type: 'approval.granted', subject: 'maria', comment: 'the customer is right' }],
  });
  const claimed = claim(after(granted));
  expect(claimed).toMatchObject({ approval: { state: 'claimed', claim: { attempt: '1' } } });
  expect(types(claim(after(claimed)))).toBe('ALREADY_CLAIMED');
  expect(types(claim(after(claimed), { attempt: '2' }))).toBe('ALREADY_CLAIMED');
});

describe('a decision is refused', () => {
  const glass = { break_glass: true, comment: 'fire' } as const;
  test.each<[string, Partial<ApprovalRules>, Partial<SubmittedDecision>]>([
    ['DIGEST_MISMATCH', {}, { document_digest: `sha256:${'b'.repeat(64)}` }],
    ['APPROVER_IS_REQUESTER', {}, { subject: 'service:refunds' }],
    ['APPROVER_IS_ACTOR', {}, { subject: 'refund-bot' }],
    ['APPROVER_IS_ACTOR', {}, { subject: 'agent:refund-bot' }],
    ['APPROVER_IS_ACTOR', {}, { subject: 'tom' }],
    ['NOT_AN_APPROVER', { approvers: ['eve', 'group:leads'] }, { groups: ['group:staff'] }],
    ['NOT_AN_APPROVER', { approvers: ['eve'], escalate_to: ['maria'] }, {}],
    ['BREAK_GLASS_REFUSED', {}, glass],
    ['REASON_REQUIRED', { break_glass: 'allowed' }, { break_glass: true, comment: ' ' }],
  ])('%s: rules %j, decision %j', (code, rules, decision) => {
    expect(types(decide(after(open(rules)), decision))).toBe(code);
  });

  test('after its time, and after another decision', () => {
    const pending = after(open());
    expect(types(decide(pending, {}, start + defaultApprovalRules.timeout_ms))).toBe('DECISION_TOO_LATE');
    expect(types(decide(after(decide(pending, { verdict: 'deny' })), { subject: 'eve' }))).toBe(
      'NOT_PENDING',
    );
  });
});

test('two persons: one subject counts once, and one denial is enough', () => {
  const first = after(decide(after(open({ approvals: 2 })), {}));
  expect(first.state).toBe('pending');
  expect(types(decide(first, {}))).toBe('ALREADY_DECIDED');
  expect(after(decide(first, { subject: 'eve' })).state).toBe('granted');
  expect(after(decide(first, { subject: 'eve', verdict: 'deny' })).state).toBe('denied');
});

test('break-glass permits alone, and is a transition of its own', () => {
  const step = decide(after(open({ approvals: 2, break_glass: 'allowed' })), {
    break_glass: true,
    comment: 'the plant is on fire',
  });
  expect(types(step)).toEqual(['approval.break_glass']);
  expect(after(step)).toMatchObject({ state: 'granted', decisions: [{ break_glass: true }] });
});

test('a member of a group may decide', () => {
  const step = decide(after(open({ approvers: ['group:leads'] })), { groups: ['group:leads'] });
  expect(after(step).state).toBe('granted');
});

describe('a claim is refused', () => {
  const granted = () => after(decide(after(open()), {}));
  test.each<[string, Partial<SubmittedClaim>]>([
    ['DIGEST_MISMATCH', { document_digest: `sha256:${'b'.repeat(64)}` }],
    ['NOT_THE_REQUESTER', { subject: 'service:other' }],
    ['OPENING_INVALID', { openings_valid: false }],
  ])('%s', (code, over) => {
    expect(types(claim(granted(), over))).toBe(code);
  });

  test('before the decision, after a denial, and too late', () => {
    expect(types(claim(after(open())))).toBe('NOT_GRANTED');
    expect(types(claim(after(decide(after(open()), { verdict: 'deny' }))))).toBe('NOT_GRANTED');
    expect(types(claim(granted(), {}, start + 1 + defaultApprovalRules.claim_within_ms))).toBe(
      'CLAIM_TOO_LATE',
    );
  });
});

test('a request with hidden arguments is refused where the rules say so', () => {
  const hidden = { '/card': 'c'.repeat(64) };
  expect(types(open({ hidden_arguments: 'refused' }, hidden))).toBe('HIDDEN_ARGUMENTS_REFUSED');
  expect(after(open({}, hidden)).document.hidden).toEqual(hidden);
});

describe('withdrawal', () => {
  const subject = 'service:refunds';
  test('of a pending and of a granted request', () => {
    expect(types(withdrawApproval(after(open()), { subject }))).toEqual(['approval.withdrawn']);
    const granted = after(decide(after(open()), {}));
    const withdrawn = after(withdrawApproval(granted, { subject, comment: 'not needed' }));
    expect(types(claim(withdrawn))).toBe('NOT_GRANTED');
  });
  test('only by the requester, and not after the claim', () => {
    expect(types(withdrawApproval(after(open()), { subject: 'eve' }))).toBe('NOT_THE_REQUESTER');
    const claimed = after(claim(after(decide(after(open()), {}))));
    expect(types(withdrawApproval(claimed, { subject }))).toBe('ALREADY_CLAIMED');
  });
});

describe('time', () => {
  const { timeout_ms, remind_after_ms, claim_within_ms } = defaultApprovalRules;

  test('reminds once, then times out. A time-out is not a denial', () => {
    const pending = after(open());
    expect(nextDeadlineOf(pending)).toBe(start + remind_after_ms!);
    expect(advanceApproval(pending, start + 1)).toEqual({ approval: pending, transitions: [] });
    const reminded = advanceApproval(pending, start + remind_after_ms!);
    expect(types(reminded)).toEqual(['approval.reminded']);
    expect(types(advanceApproval(reminded.approval, start + remind_after_ms! + 1))).toEqual([]);
    expect(nextDeadlineOf(reminded.approval)).toBe(start + timeout_ms);
    const late = advanceApproval(reminded.approval, start + timeout_ms);
    expect(late).toMatchObject({
      approval: { state: 'timed_out' },
      transitions: [{ type: 'approval.timed_out' }],
    });
    expect(nextDeadlineOf(late.approval)).toBeUndefined();
  });

  test('escalates to others, who may then decide', () => {
    const pending = after(open({ approvers: ['eve'], escalate_to: ['maria'] }));
    const escalated = advanceApproval(pending, start + timeout_ms);
    expect(types(escalated)).toEqual(['approval.escalated']);
    expect(after(decide(escalated.approval, {}, start + timeout_ms + 1)).state).toBe('granted');
    expect(types(advanceApproval(escalated.approval, start + 2 * timeout_ms))).toEqual([
      'approval.timed_out',
    ]);
  });

  test('a desk that was stopped for long catches up in one step', () => {
    const pending = after(open({ approvers: ['eve'], escalate_to: ['maria'] }));
    expect(types(advanceApproval(pending, start + 10 * timeout_ms))).toEqual([
      'approval.escalated',
      'approval.timed_out',
    ]);
  });

  test('an unused grant expires', () => {
    const granted = after(decide(after(open()), {}));
    const expired = advanceApproval(granted, start + 1 + claim_within_ms);
    expect(expired).toMatchObject({
      approval: { state: 'expired' },
      transitions: [{ type: 'approval.expired' }],
    });
  });
});

test('whatever happens: at most one claim, and only after enough different subjects granted', () => {
  const subjects = fc.constantFrom('maria', 'eve', 'ann', 'tom', 'service:refunds');
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('decide'), subject: subjects, deny: fc.boolean(), glass: fc.boolean() }),
      fc.record({ kind: fc.constant('claim'), subject: subjects }),
      fc.record({ kind: fc.constant('withdraw'), subject: subjects }),
      fc.record({ kind: fc.constant('wait'), ms: fc.integer({ min: 0, max: 2_000_000 }) }),
    ),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), steps, (approvals, sequence) => {
      let approval = after(open({ approvals }));
      let now = start;
      let claims = 0;
      for (const step of sequence) {
        approval = advanceApproval(approval, now).approval;
        if (step.kind === 'wait' && 'ms' in step) now += step.ms;
        if (!('subject' in step)) continue;
        const result =
          'deny' in step
            ? decide(
                approval,
                { subject: step.subject, verdict: step.deny ? 'deny' : 'grant', break_glass: step.glass },
                now,
              )
            : step.kind === 'claim'
              ? claim(approval, { subject: step.subject }, now)
              : withdrawApproval(approval, { subject: step.subject });
        if ('refused' in result) continue;
        approval = result.approval;
        if (approval.state === 'claimed') claims++;
      }
      expect(claims).toBeLessThanOrEqual(1);
      if (approval.state === 'granted' || approval.state === 'claimed') {
        const granting = new Set(approval.decisions.map(({ subject }) => subject));
        expect(granting.size).toBeGreaterThanOrEqual(approvals);
        expect(granting).not.toContain('service:refunds');
        expect(granting).not.toContain('tom');
        expect(approval.decisions.every(({ verdict }) => verdict === 'grant')).toBe(true);
      }
    }),
  );
});

test.each([
  ['APPROVER_IS_REQUESTER', 'Service:Refunds'],
  ['APPROVER_IS_ACTOR', 'tom '],
  ['APPROVER_IS_ACTOR', 'User:Tom'],
])('a subject that looks like it is refused: %s for %j', (code, subject) => {
  expect(types(decide(after(open()), { subject }))).toBe(code);
});

test('a verdict that is neither grant nor deny is an error, and never a grant', () => {
  const pending = after(open());
  for (const verdict of [undefined, 'Grant', 'denied', 'yes', true, null])
    expect(() => decide(pending, { verdict: verdict as 'grant' })).toThrow(TypeError);
});
