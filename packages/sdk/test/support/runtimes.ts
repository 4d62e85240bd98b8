import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Kept between runs, in a directory that `npm install` does not change: each runtime has 100 MB. */
const cache = resolve(import.meta.dirname, '../../../../node_modules/.cache/tallystick-runtimes');
const platform = process.platform === 'win32' ? 'win' : process.platform;

export interface Runtime {
  readonly name: string;
  /** The npm package to install. */
  readonly spec: string;
  /** Path of the program below `node_modules` of the cache. */
  readonly path: string;
  /** Arguments before the script. */
  readonly args: readonly string[];
}

export const runtimes: readonly Runtime[] = [
  {
    name: 'Node 22',
    spec: `node-${platform}-${process.arch}@22`,
    path: `node-${platform}-${process.arch}/bin/node`,
    args: [],
  },
  { name: 'Bun', spec: 'bun@1', path: '.bin/bun', args: ['run'] },
  { name: 'Deno', spec: 'deno@2', path: '.bin/deno', args: ['run', '--quiet', '--allow-all'] },
];

/**
 * The path of the runtime's program, which is installed if necessary.
 *
 * @throws if it can't be installed on this machine
 */
export function installed({ name, spec, path }: Runtime): string {
  const program = join(cache, 'node_modules', path);
  if (existsSync(program)) return program;
  console.log(`installing ${name} (${spec}), once`);
  mkdirSync(cache, { recursive: true });
  if (!existsSync(join(cache, 'package.json')))
    writeFileSync(join(cache, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', spec, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: cache,
    stdio: 'pipe',
    timeout: 180_000,
  });
  execFileSync(program, ['--version'], { stdio: 'pipe' });
  return program;
}
