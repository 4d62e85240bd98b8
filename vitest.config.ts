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
    // Workers start services of their own with node, so they need the condition too.
    execArgv: ['--conditions=tallystick-source'],
  },
});
