import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary directory for one test. `using dir = tempDir()` removes it at the end of the block. */
export interface TempDir extends Disposable {
  readonly path: string;
  remove(): void;
  /**
   * Removes a directory with the tens of thousands of files of an installed project. On a busy machine that takes minutes, in which this
   * process goes on to answer its test runner. The hook needs {@link largeRemovalMs}.
   */
  removeLarge(): Promise<void>;
}

/** Time for a hook that removes an installed project. */
export const largeRemovalMs = 300_000;

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
  const removeLarge = async () => {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
    present.delete(path);
  };
  return { path, remove, removeLarge, [Symbol.dispose]: remove };
}

function removeDir(path: string): void {
  // On some file systems a process that was just killed still holds its files open, hence the retries.
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  present.delete(path);
}
