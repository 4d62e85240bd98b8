import { relative, resolve } from 'node:path';
import { mergeConfig } from 'vitest/config';
import config from '../../vitest.config.ts';
import { withoutRecord } from './emit-calls.ts';

const root = resolve(import.meta.dirname, '../..');
const { MUTANT_FILE: file, MUTANT_START: start, MUTANT_RECORDER: recorder } = process.env;

/** The tests of the platform, with one call that records an event taken out of a service. */
export default mergeConfig(config, {
  root,
  // Transformed modules are kept between runs, and the cache does not know of the mutant.
  // On a busy machine a time limit must not look like a mutant that was noticed.
  test: { experimental: { fsModuleCache: false }, testTimeout: 300_000, hookTimeout: 300_000 },
  plugins: [
    {
      name: 'mutant',
      enforce: 'pre' as const,
      transform(source: string, id: string) {
        if (relative(root, id) !== file) return null;
        return withoutRecord(source, { start: Number(start), recorder: recorder! });
      },
    },
  ],
});
