import { describe, expect, test } from 'vitest';
import { defaultApprovalRules, tightenRules } from '../../src/index.ts';

const minimum = {
  ...defaultApprovalRules,
  approvals: 2,
  approvers: ['maria', 'group:leads'],
  break_glass: 'allowed',
} as const;

test('a requester can tighten every rule', () => {
  expect(
    tightenRules(minimum, {
      approvals: 3,
      approvers: ['maria', 'eve'],
      timeout_ms: 1_000,
      remind_after_ms: 500,
      claim_within_ms: 10,
      hidden_arguments: 'refused',
      break_glass: 'refused',
    }),
  ).toEqual({
    approvals: 3,
    approvers: ['maria'],
    timeout_ms: 1_000,
    remind_after_ms: 500,
    claim_within_ms: 10,
    hidden_arguments: 'refused',
    break_glass: 'refused',
  });
});

test('a requester can loosen none', () => {
  const loose = {
    approvals: 1,
    approvers: ['maria', 'group:leads', 'eve'],
    timeout_ms: 1e9,
    claim_within_ms: 1e9,
    hidden_arguments: 'allowed',
    break_glass: 'allowed',
  } as const;
  expect(tightenRules({ ...minimum, hidden_arguments: 'refused', break_glass: 'refused' }, loose)).toEqual({
    ...minimum,
    hidden_arguments: 'refused',
    break_glass: 'refused',
  });
});

test('without a common approver there are no rules', () => {
  expect(tightenRules(minimum, { approvers: ['eve'] })).toBeUndefined();
});

test('a request that names no approvers gets those of the service, and the other way round', () => {
  expect(tightenRules(minimum, {})?.approvers).toEqual(minimum.approvers);
  expect(tightenRules(defaultApprovalRules, { approvers: ['eve'] })?.approvers).toEqual(['eve']);
});

test('a reminder after the time-out is left out', () => {
  expect(tightenRules(minimum, { timeout_ms: 1_000 })).not.toHaveProperty('remind_after_ms');
});

describe('an escalation that only the request has', () => {
  // A request that named an accomplice in `escalate_to` waited for the time-out; then the accomplice decided, whom the minimum excludes.
  test('names nobody whom the minimum excludes', () => {
    expect(tightenRules(minimum, { escalate_to: ['eve'] })).not.toHaveProperty('escalate_to');
    expect(tightenRules(minimum, { escalate_to: ['eve', 'maria'] })?.escalate_to).toEqual(['maria']);
  });

  test('does not prolong the time to decide', () => {
    const rules = tightenRules(defaultApprovalRules, { approvers: ['maria'], escalate_to: ['eve'] })!;
    expect(rules).toMatchObject({
      approvers: ['maria'],
      escalate_to: ['eve'],
      timeout_ms: defaultApprovalRules.timeout_ms / 2,
    });
  });

  test('has no effect on one that the minimum has', () => {
    const rules = tightenRules({ ...minimum, escalate_to: ['tom'] }, { escalate_to: ['tom', 'eve'] })!;
    expect(rules).toMatchObject({ escalate_to: ['tom'], timeout_ms: minimum.timeout_ms });
  });
});
