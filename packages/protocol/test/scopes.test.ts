import { expect, test } from 'vitest';
import { deadLetterStates, scopes } from '../src/index.ts';

// Keys and dead letters in the stores of running services have these values.
test('scopes and states keep their names', () => {
  expect(scopes).toEqual([
    'events:write',
    'events:read',
    'events:read-sensitive',
    'log:read',
    'viewer-tokens:issue',
    'approvals:request',
    'approvals:decide',
    'admin',
  ]);
  expect(deadLetterStates).toEqual(['open', 'retried', 'purged']);
});
