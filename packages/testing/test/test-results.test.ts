import { expect, test } from 'vitest';
import { countTests, type Report } from '../../../scripts/test-results.ts';

const empty: Report = {
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
};

test('every test that did not run counts as skipped', () => {
  const counts = countTests({ ...empty, numPassedTests: 3, numPendingTests: 2, numTodoTests: 1 });
  expect(counts).toEqual({ passed: 3, failed: 0, skipped: 3 });
});

test('a file that failed as a whole counts as one failure; a file with a failed test is not counted again', () => {
  const counts = countTests({
    ...empty,
    numFailedTests: 1,
    testResults: [
      { name: 'does not load', status: 'failed', assertionResults: [] },
      { name: 'hook fails', status: 'failed', assertionResults: [{ status: 'skipped' }] },
      {
        name: 'test fails',
        status: 'failed',
        assertionResults: [{ status: 'passed' }, { status: 'failed' }],
      },
      { name: 'passes', status: 'passed', assertionResults: [{ status: 'passed' }] },
    ],
  });
  expect(counts.failed).toBe(3);
});
