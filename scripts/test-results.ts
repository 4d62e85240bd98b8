/** The parts of vitest's JSON report that are used here. */
export interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { name: string; status: string; assertionResults: { status: string }[] }[];
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Counts a file that did not load, or whose hook failed, as one failed test. The report lists no failed test for it, so that it would
 * look like a file without tests.
 */
export function countTests(report: Report): Counts {
  const failedAsAWhole = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + failedAsAWhole.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
