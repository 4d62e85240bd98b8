import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SpoolFile } from './spool-file.ts';

/** More emitters with one directory are a mistake, such as one emitter per request. */
const maxSubdirectories = 1_000;

/**
 * Opens the first numbered subdirectory that no other emitter uses, and moves into it what the other unused subdirectories
 * contain: their emitters have ended, and no other emitter would deliver their events. Each file has a lock that the operating
 * system releases when the process ends, so two emitters never claim the same subdirectory, and that of a killed one is free.
 *
 * @returns the file, and which subdirectories could not be read and why; those are left unchanged
 * @throws {Error} with code `SPOOL_LOCKED` if all subdirectories are in use
 */
export function claimSubdirectory(directory: string): { file: SpoolFile; unreadable: readonly string[] } {
  for (let number = 0; number < maxSubdirectories; number++) {
    const file = openIfFree(join(directory, String(number)));
    if (file === undefined) continue;
    return { file, unreadable: takeOverOthers(file, directory, String(number)) };
  }
  const message = `the spool directory is already used by ${maxSubdirectories} emitters`;
  throw Object.assign(new Error(message), { code: 'SPOOL_LOCKED' });
}

function takeOverOthers(file: SpoolFile, directory: string, ownName: string): string[] {
  const unreadable: string[] = [];
  for (const name of readdirSync(directory)) {
    if (!/^\d{1,3}$/.test(name) || name === ownName) continue;
    try {
      using abandoned = openIfFree(join(directory, name));
      if (abandoned !== undefined) file.takeOver(abandoned);
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
