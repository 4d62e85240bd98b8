import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface Lockfile {
  packages: Record<string, { optionalDependencies?: Record<string, string> }>;
}

/**
 * Platform packages (native parts of a tool, optional dependencies of it) that the lock file lacks. npm leaves out
 * what its registry did not offer on the day of the install; `npm ci` then fails, on other systems or everywhere.
 */
export function missingFromLockfile({ packages }: Lockfile): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !candidates(path, name).some((candidate) => candidate in packages))
      .map(
        (name) => `package-lock.json has no ${name}, needed by ${path}: choose a version that is complete`,
      ),
  );
}

/** Where Node would look for `name` from a package at `path`, nearest first. */
function candidates(path: string, name: string): string[] {
  const places = [`${path}/node_modules/${name}`];
  for (let at = path.lastIndexOf('node_modules/'); at >= 0; at = path.lastIndexOf('node_modules/', at - 1)) {
    places.push(`${path.slice(0, at)}node_modules/${name}`);
    if (at === 0) break;
  }
  return places;
}

if (import.meta.main) {
  const file = resolve(import.meta.dirname, '../package-lock.json');
  const missing = missingFromLockfile(JSON.parse(readFileSync(file, 'utf8')) as Lockfile);
  for (const message of missing) console.error(message);
  if (missing.length > 0) process.exitCode = 1;
}
