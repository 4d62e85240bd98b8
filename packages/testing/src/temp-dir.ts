import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary directory for one test. `using dir = tempDir()` removes it at the end of the block. */
export interface TempDir extends Disposable {
  readonly path: string;
  remove(): void;
}

// Written by tempDir and remove only. At exit it contains the directories of tests that failed before they removed them.
const present = new Set<string>();
let removesAtExit = false;

/** Creates a temporary directory. Without `using`, the test calls `remove()` in an after hook. A second call does nothing. */
export function tempDir(prefix = 'tallystick-'): TempDir {
  if (!removesAtExit) {
    removesAtExit = true;
    process.once('exit', () => present.forEach(removeDir));
  }
  const path = mkdtempSync(join(tmpdir(), prefix));
  // Other users can enter it, but not list it: if the tests run as root, a database in it belongs to another user.
  chmodSync(path, 0o711);
  present.add(path);
  const remove = () => removeDir(path);
  return { path, remove, [Symbol.dispose]: remove };
}

function removeDir(path: string): void {
  // On some file systems a process that was just killed still holds its files open, hence the retries.
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  present.delete(path);
}
