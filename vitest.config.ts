import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const conditions = ['tallystick-source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'e2e/**/*.test.ts'],
    globalSetup: ['packages/testing/src/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Two even on two cores, where the default is one: many tests wait for a server more than they compute.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Workers start services of their own with node, so they need the condition too.
    execArgv: ['--conditions=tallystick-source'],
  },
});
