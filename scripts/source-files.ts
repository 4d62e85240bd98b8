import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const SKIPPED = new Set(['node_modules', 'dist']);
const SOURCE = /\.[cm]?[jt]sx?$/;

/** All files and folders below `dir`, without installed packages, build output and hidden entries. */
export function listTree(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .filter(({ name }) => !SKIPPED.has(name) && !name.startsWith('.'))
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      return entry.isDirectory() ? [path, ...listTree(path)] : [path];
    });
}

/** True for TypeScript and JavaScript, by the name of the file. */
export function isSource(path: string): boolean {
  return SOURCE.test(path);
}
