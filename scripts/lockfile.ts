import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The part of a package-lock.json that is read here. */
export interface Lockfile {
  packages: Record<string, { optionalDependencies?: Record<string, string> }>;
}

/**
 * The platform packages (native parts of a tool, its optional dependencies) that the lock file lacks. npm leaves out a package that
 * its registry did not offer when the lock file was written. `npm ci` then fails, on some systems or on all.
 */
export function missingFromLockfile({ packages }: Lockfile): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !candidates(path, name).some((candidate) => candidate in packages))
      .map(
        (name) =>
          `there is no ${name}, which ${path} needs: choose a version that the registry has completely`,
      ),
  );
}

/** The places where Node looks for `name` from a package at `path`: the last one is the root, also for a package of this repository. */
function candidates(path: string, name: string): string[] {
  const places = [`${path}/node_modules/${name}`];
  for (let at = path.lastIndexOf('node_modules/'); at > 0; at = path.lastIndexOf('node_modules/', at - 1)) {
    places.push(`${path.slice(0, at)}node_modules/${name}`);
  }
  return [...places, `node_modules/${name}`];
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..');
  const missing = ['package-lock.json', 'e2e/integrations/package-lock.json'].flatMap((file) =>
    missingFromLockfile(JSON.parse(readFileSync(resolve(root, file), 'utf8')) as Lockfile).map(
      (message) => `${file}: ${message}`,
    ),
  );
  for (const message of missing) console.error(message);
  if (missing.length > 0) process.exitCode = 1;
}
