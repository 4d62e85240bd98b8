import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SpoolFile } from './spool-file.ts';

/** More emitters than this on one directory are a mistake, such as one for each request. */
const maxPlaces = 1_000;

/**
 * Takes the first numbered subdirectory that no emitter has, and into it what the others hold that nobody has: their
 * emitters have ended, and nobody else would deliver it. The lock is the file's own, so two that start at once do not
 * meet, and one that was killed leaves its place free.
 *
 * @returns the queue, and what could not be read of the others: it is left alone
 * @throws {Error} with code `SPOOL_LOCKED` where all places are taken
 */
export function takePlace(directory: string): { file: SpoolFile; unreadable: readonly string[] } {
  for (let place = 0; place < maxPlaces; place++) {
    const own = openIfFree(join(directory, String(place)));
    if (own === undefined) continue;
    return { file: own, unreadable: adoptOthers(own, directory, String(place)) };
  }
  const message = `the spool directory has ${maxPlaces} emitters already`;
  throw Object.assign(new Error(message), { code: 'SPOOL_LOCKED' });
}

function adoptOthers(own: SpoolFile, directory: string, ownName: string): string[] {
  const unreadable: string[] = [];
  for (const name of readdirSync(directory)) {
    if (!/^\d{1,3}$/.test(name) || name === ownName) continue;
    try {
      using left = openIfFree(join(directory, name));
      if (left !== undefined) own.adopt(left);
    } catch (error) {
      unreadable.push(`${join(directory, name)} (${(error as Error).message})`);
    }
  }
  return unreadable;
}

function openIfFree(directory: string): SpoolFile | undefined {
  try {
    return new SpoolFile(directory);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'SPOOL_LOCKED') return undefined;
    throw error;
  }
}
