import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { areIntegrationsInstalled, installIntegrations } from './integrations.ts';
import { countTests, type Failure, failuresOf, type Report, withRepeated } from './test-results.ts';

const root = resolve(import.meta.dirname, '..');

/** Something that some tests need and that not every machine has. */
interface Part {
  name: string;
  neededFor: string;
  /** The test files, as a glob, that are not run if the part is missing. */
  tests: string;
  present(): boolean;
}

const PARTS: Part[] = [
  {
    name: 'python3',
    neededFor: 'the independent verifier',
    tests: 'e2e/{independent/*,differential/differential,tamper/bundles}.test.ts',
    present: () => runs('python3', '--version'),
  },
  {
    name: 'Java 17 and Maven',
    neededFor: 'a real Kafka broker',
    tests: '**/*.kafka.test.ts',
    present: () => runs('java', '-version') && runs('mvn', '--version'),
  },
  {
    name: 'Chromium',
    neededFor: 'the console in a browser',
    tests: '**/*.browser.test.ts',
    present: () => runs(process.env.CHROMIUM ?? 'chromium', '--version'),
  },
  {
    name: 'PgBouncer',
    neededFor: 'connection poolers',
    tests: '**/*.pgbouncer.test.ts',
    present: () => runs('pgbouncer', '--version'),
  },
  {
    name: 'PostgreSQL 15, and no access to the npm registry',
    neededFor: 'POSTGRES_VERSION=15',
    tests: '**/*.test.ts',
    present: () => process.env.POSTGRES_VERSION !== '15' || installIntegrations(),
  },
  {
    name: 'access to the npm registry',
    neededFor: 'the libraries of e2e/integrations',
    tests: 'e2e/integrations/**/*.test.ts',
    present: () => (mayRunIntegrations(args) ? installIntegrations() : areIntegrationsInstalled()),
  },
];

const args = process.argv.slice(2);
const requireAll = process.env.REQUIRE_ALL === '1';
const missing = PARTS.filter((part) => !part.present());
const first = runVitest(args, missing);
const failedAtFirst = failuresOf(first.report);
const final = repeatFailures(first, failedAtFirst);
const counts = countTests(final.report);
const failures = failuresOf(final.report);

for (const { name, neededFor, tests } of missing) {
  console.log(`\n*** NOT RUN: ${tests}: this machine has no ${name}, needed for ${neededFor}. ***`);
}
if (requireAll && missing.length > 0) {
  console.log('\n*** FAILED: with REQUIRE_ALL=1 no part may be missing. ***');
  counts.failed += missing.length;
}
if (final.status !== 0 && counts.failed === 0) {
  console.log('\n*** FAILED: every test passed, but vitest ended with an error; see above. ***');
  counts.failed = 1;
}
printFailures('FAILED', failures);
printFailures(
  'UNSTABLE, passed only when it was run again',
  failedAtFirst.filter(
    ({ file, test }) => !failures.some((other) => other.file === file && other.test === test),
  ),
);
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;

/** Vitest's filters are parts of paths. An option may be anything, so all tests may run. */
function mayRunIntegrations(args: readonly string[]): boolean {
  if (args.length === 0 || args.some((arg) => arg.startsWith('-'))) return true;
  const files = globSync('e2e/integrations/*/**/*.test.ts', {
    cwd: root,
    exclude: (path) => path.endsWith('node_modules'),
  });
  return files.some((file) => args.some((filter) => file.includes(filter)));
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args).status === 0;
}

interface Run {
  status: number;
  report: Report;
}

/**
 * Runs the files that contain failures once more, alone, when they are few. Many tests start servers, stop and freeze them, and two
 * cores run the whole suite: a test that passes here is reported as unstable and does not end the run. If many files fail, the
 * machine is not the reason.
 */
function repeatFailures(run: Run, failed: Failure[]): Run {
  const files = [...new Set(failed.map(({ file }) => file))];
  if (files.length === 0 || files.length > 5) return run;
  console.log(`\n*** ${files.length} test file(s) failed and are run again, alone. ***`);
  const second = runVitest(files, []);
  return { status: second.status, report: withRepeated(run.report, second.report) };
}

function printFailures(title: string, failures: Failure[]): void {
  for (const { file, test, error } of failures) {
    console.log(`\n*** ${title}: ${relative(root, file)} > ${test}: ${error} ***`);
  }
}

function runVitest(args: string[], without: Part[]): Run {
  const dir = mkdtempSync(join(tmpdir(), 'tallystick-results-'));
  const outputFile = join(dir, 'results.json');
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  try {
    const { status } = spawnSync(
      process.execPath,
      [
        ...[vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`],
        ...without.map(({ tests }) => `--exclude=${tests}`),
        ...args,
      ],
      { stdio: 'inherit', cwd: root },
    );
    // Vitest writes no report if it ends before it has run a test.
    if (!existsSync(outputFile)) return { status: 1, report: { testResults: [] } };
    return { status: status ?? 1, report: JSON.parse(readFileSync(outputFile, 'utf8')) as Report };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
