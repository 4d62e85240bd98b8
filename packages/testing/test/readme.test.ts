import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runSnippet, tempDir } from '../src/index.ts';

const root = resolve(import.meta.dirname, '../../..');

function snippets(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]!);
}

/** What the programs of each README print. */
const shown: { readonly [file: string]: RegExp } = {
  'README.md': /chained as record 2 of acme[\s\S]*delivered: 2/,
  'packages/event/README.md': /^true$/m,
  'packages/log/README.md': /^a tree of 2 leaves$/m,
  'packages/server/README.md': /^200$/m,
  'packages/verify/README.md': /^not_verifiable, covered to null, 1 findings$/m,
};

describe.each(Object.keys(shown))('%s', (file) => {
  test('shows at least one program', () => expect(snippets(file).length).toBeGreaterThan(0));

  test.each(snippets(file).map((code, at) => ({ name: `snippet ${at + 1}`, code })))(
    '$name compiles and runs',
    { timeout: 120_000 },
    async ({ code }) => {
      using directory = tempDir();
      const stdout = await runSnippet(code, { cwd: directory.path });
      expect(stdout).toMatch(shown[file]!);
    },
  );
});
