import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../src/until.ts';

/** What a newcomer does who reads a document and has our packages only as tarballs. */

const root = resolve(import.meta.dirname, '../../..');

/** The blocks of code of a document in one language. */
export function blocksOf(document: string, language: string): string[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(new RegExp(`^ *\`\`\`${language}\\n(.*?)^ *\`\`\`$`, 'gms'))].map(
    ([, code]) => code!,
  );
}

/** The lines of a document's shell blocks that begin with these words, without their comments. */
export function shellLines(document: string, begin: string): string[] {
  return blocksOf(document, 'sh')
    .flatMap((block) => block.replaceAll('\\\n', '').split('\n'))
    .map((line) => line.trim().replace(/ +#.*/, ''))
    .filter((line) => line.startsWith(begin));
}

/**
 * Runs a command in a folder and returns what it printed. Commands here take minutes on a busy machine, so they must not block this
 * process, whose test runner expects its answers.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  { cwd, env = process.env }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<string> {
  const running = promisify(execFile)(command, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 });
  running.child.stdin?.end();
  return (await running).stdout;
}

/** Runs a program of a document in a project, as `node program.ts`, and returns what it printed. */
export async function runProgram(
  project: string,
  code: string,
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  writeFileSync(join(project, 'program.ts'), code);
  const args = ['--no-warnings', 'program.ts'];
  return await runCommand(process.execPath, args, { cwd: project, env: { ...process.env, ...env } });
}

/** A `tallystick dev` that runs from the packages of a project. */
export interface DevService extends AsyncDisposable {
  /** The variables that it tells its user to export. */
  readonly env: { readonly TALLYSTICK_URL: string; readonly TALLYSTICK_API_KEY: string };
}

export async function startDev(project: string): Promise<DevService> {
  const command = join(project, 'node_modules/.bin/tallystick');
  const child = spawn(process.execPath, [command, 'dev', '--port', '0'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const exported = () => /export TALLYSTICK_URL=(\S+) TALLYSTICK_API_KEY=(\S+)/.exec(output);
  await until(() => child.exitCode !== null || exported() !== null, {
    timeoutMs: 120_000,
    what: 'the start of tallystick dev',
  });
  const found = exported();
  if (found === null) throw new Error(`tallystick dev ended: ${output}`);
  return {
    env: { TALLYSTICK_URL: found[1]!, TALLYSTICK_API_KEY: found[2]! },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
