import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);

/**
 * Compiles a TypeScript program of a document with strict settings, then runs it.
 *
 * @returns what the program printed to stdout
 * @throws {Error} with the messages of the compiler, or with the output of a program that failed
 */
export async function runSnippet(
  code: string,
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): Promise<string> {
  // The folder is inside the repository, which ignores it, so that packages resolve as in a user's project.
  mkdirSync(join(root, 'dist'), { recursive: true });
  const dir = mkdtempSync(join(root, 'dist', 'snippet-'));
  try {
    const program = join(dir, 'snippet.ts');
    writeFileSync(program, code);
    const project = {
      extends: '../../tsconfig.base.json',
      compilerOptions: { noEmit: true, rewriteRelativeImportExtensions: false },
      files: ['snippet.ts'],
    };
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(project));
    await run(join(root, 'node_modules/.bin/tsc'), ['-p', dir]).catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    });
    const { stdout } = await run(process.execPath, ['--conditions=tallystick-source', program], options);
    return stdout;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
