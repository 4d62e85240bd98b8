import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const packageRoot = join(import.meta.dirname, '../..');
const buildRoot = join(packageRoot, 'dist/from-source');
/** A build that was last made or used longer ago is removed. */
const keptMs = 24 * 60 * 60_000;

/** The packages whose sources end up in the console's files. */
const bundled = ['client', 'console', 'event', 'log', 'protocol', 'verify'];

/**
 * As `consoleFiles` of the published package, for a checkout, where nothing is built: it builds the files at the first call, in about four
 * seconds, and again when the sources have changed.
 *
 * @returns an absolute path. Its name contains the digest of the sources, so a later build does not touch files that a process serves.
 */
export async function consoleFiles(): Promise<string> {
  const folder = join(buildRoot, digestOfSources());
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  const { buildSite } = await import('../../vite.config.ts');
  await buildSite(unfinished);
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    // Another process has built the same sources meanwhile.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  removeOldBuilds(folder);
  return folder;
}

function digestOfSources(): string {
  const hash = createHash('sha256');
  const packages = dirname(packageRoot);
  const files = [
    join(packageRoot, 'vite.config.ts'),
    join(packageRoot, 'package.json'),
    ...bundled.flatMap((name) => filesBelow(join(packages, name, 'src'))),
  ];
  for (const file of files) hash.update(`${relative(packages, file)}\0`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function removeOldBuilds(current: string): void {
  for (const name of readdirSync(buildRoot)) {
    const folder = join(buildRoot, name);
    const isOld = Date.now() - statSync(folder).mtimeMs > keptMs;
    if (folder !== current && isOld) rmSync(folder, { recursive: true, force: true });
  }
}
