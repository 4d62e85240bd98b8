import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates a directory that only this user may read, and those above it. Node's own `recursive` option (Node 24) loops without end where
 * directories can't be created, such as in `/proc`.
 *
 * The store of the service has the same few lines: the command line starts without loading it.
 *
 * @throws {Error} with the code of the operating system
 */
export function makeDirectory(path: string): void {
  const parent = dirname(path);
  for (let parentMade = parent === path; ; parentMade = true) {
    try {
      mkdirSync(path, { mode: 0o700 });
      return;
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
      if (code !== 'ENOENT' || parentMade) throw cause;
    }
    makeDirectory(parent);
  }
}
