import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** A package as it would be published. */
export interface Tarball {
  name: string;
  version: string;
  /** Absolute path of the .tgz file. */
  file: string;
  /** The sorted paths inside the package. */
  contents: string[];
}

export interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  exports?: Record<string, string | Record<string, string>>;
  bin?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

interface PackReport {
  name: string;
  version: string;
  filename: string;
  files: { path: string }[];
}

const root = resolve(import.meta.dirname, '..');
const NOT_COPIED = new Set(['node_modules', 'dist', 'test', 'tsconfig.tsbuildinfo']);

/** Builds all packages that are not private. Packs each of them, with the LICENSE, into `destination`. */
export function packAll(destination: string): Tarball[] {
  mkdirSync(destination, { recursive: true });
  // Works on a copy, so that no file of an earlier build is packed and no build output of the developer changes. The copy is inside the
  // repository, where Node finds the installed modules.
  const stage = join(root, 'dist', `pack-${process.pid}`);
  try {
    const packages = copyPackages(stage);
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-b', ...packages], {
      stdio: 'pipe',
      encoding: 'utf8',
    });
    for (const site of ['console', 'viewer'])
      execFileSync('npm', ['run', 'build'], {
        cwd: join(stage, 'packages', site),
        stdio: 'pipe',
        encoding: 'utf8',
      });
    const report = execFileSync(
      'npm',
      ['pack', ...packages, '--json', '--pack-destination', resolve(destination)],
      {
        cwd: stage,
        stdio: 'pipe',
        encoding: 'utf8',
      },
    );
    return (JSON.parse(report) as PackReport[]).map(({ name, version, filename, files }) => ({
      ...{ name, version, file: resolve(destination, filename) },
      contents: files.map(({ path }) => path).sort(),
    }));
  } catch (error) {
    // tsc prints its errors to standard output.
    const { stdout, message } = error as { stdout?: string; message: string };
    throw new Error([message, stdout].join('\n'), { cause: error });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

export function readManifest(dir: string): Manifest {
  return JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Manifest;
}

/** Copies the packages that are not private, links them as npm links a workspace, and returns the folders of those to publish. */
function copyPackages(stage: string): string[] {
  mkdirSync(stage, { recursive: true });
  copyFileSync(join(root, 'tsconfig.base.json'), join(stage, 'tsconfig.base.json'));
  const copies = workspacePackages().map((source) => {
    const copy = join(stage, 'packages', basename(source));
    cpSync(source, copy, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
    copyFileSync(join(root, 'LICENSE'), join(copy, 'LICENSE'));
    const ownModules = join(source, 'node_modules');
    if (existsSync(ownModules)) symlinkSync(ownModules, join(copy, 'node_modules'));
    const link = join(stage, 'node_modules', readManifest(copy).name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(copy, link);
    return copy;
  });
  // A package without exports and commands has nothing to publish yet.
  return copies.filter((copy) =>
    Object.keys(readManifest(copy)).some((key) => key === 'exports' || key === 'bin'),
  );
}

function workspacePackages(): string[] {
  return readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name))
    .filter((dir) => existsSync(join(dir, 'package.json')) && !readManifest(dir).private);
}

if (import.meta.main) {
  const [destination, json] = process.argv.slice(2);
  if (!destination) throw new Error('usage: node scripts/pack.ts <folder for the tarballs> [--json]');
  const tarballs = packAll(destination);
  if (json === '--json') console.log(JSON.stringify(tarballs));
  else for (const { file, contents } of tarballs) console.log(`${file} (${contents.length} files)`);
}
