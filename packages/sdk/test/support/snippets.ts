import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../../..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);

export interface Snippet {
  /** The page and the line at which it begins. */
  readonly name: string;
  readonly file: string;
  readonly text: string;
}

/** The README and the guides. */
export function pages(): string[] {
  const guides = join(root, 'docs/sdk');
  return [
    join(root, 'packages/sdk/README.md'),
    ...readdirSync(guides)
      .filter((file) => file.endsWith('.md'))
      .map((file) => join(guides, file)),
  ];
}

/** Writes every TypeScript example of the pages to a file of its own, in a folder from which the packages can be imported. */
export function writeSnippets(): { snippets: Snippet[]; directory: string; remove: () => void } {
  // Within the repository, so that package names resolve to these sources.
  const directory = join(root, 'dist', `snippets-${process.pid}`);
  mkdirSync(directory, { recursive: true });
  const snippets = pages().flatMap((page) => {
    const markdown = readFileSync(page, 'utf8');
    return Array.from(markdown.matchAll(/^```ts\n(.*?)^```$/gms), ({ 1: text = '', index }): Snippet => {
      const line = markdown.slice(0, index).split('\n').length;
      const name = `${page.slice(root.length + 1)}:${line}`;
      const ending = isVitest(text) ? '.test.ts' : '.ts';
      const file = join(directory, name.replaceAll(/\W+/g, '-') + ending);
      writeFileSync(file, text);
      return { name, file, text };
    });
  });
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.base.json',
      // Examples contain unused variables.
      compilerOptions: { noEmit: true, rewriteRelativeImportExtensions: false, noUnusedLocals: false },
      files: snippets.map(({ file }) => file),
    }),
  );
  writeFileSync(
    join(directory, 'vitest.config.ts'),
    `const conditions = ['tallystick-source'];
    export default { resolve: { conditions }, ssr: { resolve: { conditions } }, test: { execArgv: ['--conditions=tallystick-source'] } };`,
  );
  return { snippets, directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

export function isVitest(text: string): boolean {
  return text.includes("from 'vitest'");
}

/** The compiler's messages. */
export function typeCheck(directory: string): string {
  return run(bin('tsc'), ['-p', directory], directory);
}

export function runVitest(directory: string): string {
  return run(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', directory],
    directory,
  );
}

/** The output of the command if it fails, else an empty text. */
function run(command: string, args: string[], cwd: string): string {
  try {
    execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    return '';
  } catch (error) {
    const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message: string };
    return [message, stdout, stderr].join('\n');
  }
}
