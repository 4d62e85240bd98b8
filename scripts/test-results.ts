/** The parts of vitest's JSON report that are used here. */
export interface Report {
  testResults: FileResult[];
}

interface FileResult {
  /** The path of the test file. */
  name: string;
  status: string;
  /** Why the file failed as a whole. */
  message?: string;
  assertionResults: { status: string; fullName?: string; failureMessages?: string[] | null }[];
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** One failed test, or a file that failed as a whole. */
export interface Failure {
  file: string;
  test: string;
  /** The first line of the error. */
  error: string;
}

/**
 * Counts a file that did not load, or whose hook failed, as one failed test. The report lists no failed test for it, so that it would
 * look like a file without tests.
 */
export function countTests({ testResults }: Report): Counts {
  const statuses = testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ status }) => status),
  );
  const passed = statuses.filter((status) => status === 'passed').length;
  const failed = statuses.filter((status) => status === 'failed').length;
  return {
    passed,
    failed: failed + testResults.filter(failedAsAWhole).length,
    skipped: statuses.length - passed - failed,
  };
}

export function failuresOf({ testResults }: Report): Failure[] {
  return testResults.flatMap((result) => {
    if (failedAsAWhole(result)) {
      return [{ file: result.name, test: 'the whole file', error: firstLine(result.message) }];
    }
    return result.assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName = '', failureMessages }) => ({
        file: result.name,
        test: fullName,
        error: firstLine(failureMessages?.[0]),
      }));
  });
}

/** The report `first`, in which the files that `second` contains have their results of `second`. */
export function withRepeated(first: Report, second: Report): Report {
  const repeated = new Map(second.testResults.map((result) => [result.name, result]));
  return { testResults: first.testResults.map((result) => repeated.get(result.name) ?? result) };
}

function failedAsAWhole({ status, assertionResults }: FileResult): boolean {
  return status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed');
}

function firstLine(text = ''): string {
  return text.split('\n', 1)[0] ?? '';
}
