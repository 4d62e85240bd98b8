import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { tempDir } from '../src/index.ts';

const root = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);

// The programs in the READMEs are compiled with strict settings, and run. They are written to a folder inside the repository, which git
// ignores, so that Node resolves the packages as in a project of a user.
const scratch = join(root, 'dist', `snippets-${process.pid}`);
mkdirSync(scratch, { recursive: true });
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

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
      const program = join(scratch, 'snippet.ts');
      writeFileSync(program, code);
      const project = {
        extends: '../../tsconfig.base.json',
        compilerOptions: { noEmit: true, rewriteRelativeImportExtensions: false },
        files: ['snippet.ts'],
      };
      writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(project));
      const complaints = await run(join(root, 'node_modules/.bin/tsc'), ['-p', scratch]).then(
        () => '',
        (error: { stdout: string }) => error.stdout,
      );
      expect(complaints).toBe('');
      using directory = tempDir();
      const { stdout } = await run(process.execPath, ['--conditions=tallystick-source', program], {
        cwd: directory.path,
      });
      expect(stdout).toMatch(shown[file]!);
    },
  );
});
