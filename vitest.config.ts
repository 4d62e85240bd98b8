import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { LongTestsFirst } from './scripts/long-tests-first.ts';

const conditions = ['tallystick-source'];

/**
 * Packages whose test files share a worker process, one after the other, and so load the sources once. Loading them anew took 10 of 16 s
 * for the tests of `event`, `log` and `protocol`.
 */
const shared = 'event|log|protocol|verify|client|cli|sdk|server';
/** Files of these packages that replace a module, that measure the memory of their process, or whose clients of a broker end with it. */
const apart = [
  'packages/sdk/test/seeds/*.test.ts',
  'packages/*/test/**/*.kafka.test.ts',
  'packages/*/test/**/*memory.test.ts',
];

/** They share a process too. Pages take long on a busy machine. */
const browserTests = 'packages/*/test/browser/*.browser.test.ts';

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    globalSetup: ['packages/testing/src/global-setup.ts'],
    sequence: { sequencer: LongTestsFirst },
    // Two workers even on two cores, where the default is one: many tests wait for a server longer than they compute.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Tests start services as processes of their own, with the arguments of their worker.
    execArgv: ['--conditions=tallystick-source'],
    projects: [
      {
        extends: true,
        test: {
          name: 'own process',
          include: [
            `packages/!(${shared})/test/**/*.test.ts`,
            'examples/*/test/**/*.test.ts',
            'e2e/**/*.test.ts',
            ...apart,
          ],
          exclude: [...configDefaults.exclude, browserTests],
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: [browserTests],
          isolate: false,
          testTimeout: 90_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'shared process',
          include: [`packages/@(${shared})/test/**/*.test.ts`],
          exclude: [...configDefaults.exclude, ...apart],
          isolate: false,
        },
      },
    ],
  },
});
