import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongTestsFirst } from './scripts/long-tests-first.ts';

const conditions = ['tallystick-source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'e2e/**/*.test.ts'],
    globalSetup: ['packages/testing/src/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    sequence: { sequencer: LongTestsFirst },
    // Two workers even on two cores, where the default is one: many tests wait for a server longer than they compute.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Tests start services as processes of their own, with the arguments of their worker.
    execArgv: ['--conditions=tallystick-source'],
  },
});
