import { expect, test } from 'vitest';
import { countTests, failuresOf, type Report, withRepeated } from '../../../scripts/test-results.ts';

const report: Report = {
  testResults: [
    { name: 'does not load', status: 'failed', message: 'no such module\nat x', assertionResults: [] },
    { name: 'hook fails', status: 'failed', assertionResults: [{ status: 'skipped' }] },
    {
      name: 'test fails',
      status: 'failed',
      assertionResults: [
        { status: 'passed' },
        { status: 'failed', fullName: 'adds', failureMessages: ['expected 2\nat y'] },
      ],
    },
    { name: 'passes', status: 'passed', assertionResults: [{ status: 'passed' }] },
  ],
};

test('every test that did not run counts as skipped', () => {
  const assertionResults = ['passed', 'passed', 'pending', 'skipped', 'todo'].map((status) => ({ status }));
  const counts = countTests({ testResults: [{ name: 'a', status: 'passed', assertionResults }] });
  expect(counts).toEqual({ passed: 2, failed: 0, skipped: 3 });
});

test('a file that failed as a whole counts as one failure; a file with a failed test is not counted again', () => {
  expect(countTests(report)).toEqual({ passed: 2, failed: 3, skipped: 1 });
});

test('failures are listed with the first line of their error', () => {
  expect(failuresOf(report)).toEqual([
    { file: 'does not load', test: 'the whole file', error: 'no such module' },
    { file: 'hook fails', test: 'the whole file', error: '' },
    { file: 'test fails', test: 'adds', error: 'expected 2' },
  ]);
});

test('a file that was run again counts with its second result', () => {
  const again: Report = {
    testResults: [{ name: 'test fails', status: 'passed', assertionResults: [{ status: 'passed' }] }],
  };
  const counts = countTests(withRepeated(report, again));
  expect(counts).toEqual({ passed: 2, failed: 2, skipped: 1 });
  expect(failuresOf(withRepeated(report, again)).map(({ file }) => file)).toEqual([
    'does not load',
    'hook fails',
  ]);
});
