import { expect, test } from 'vitest';
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
