import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory of its own for one test; `using dir = tempDir()` removes it at the end of the block. */
export interface TempDir extends Disposable {
  readonly path: string;
  remove(): void;
}

// Written by tempDir and remove only; what is left at exit belongs to tests that failed before cleaning up.
const present = new Set<string>();
let removesAtExit = false;

/** Whoever does not say `using` calls `remove()` in an after hook. Removing twice does no harm. */
export function tempDir(prefix = 'tallystick-'): TempDir {
  if (!removesAtExit) {
    removesAtExit = true;
    process.once('exit', () => present.forEach(removeDir));
  }
  const path = mkdtempSync(join(tmpdir(), prefix));
  // Passable, not readable: where the tests run as root, a database kept in here belongs to another user.
  chmodSync(path, 0o711);
  present.add(path);
  const remove = () => removeDir(path);
  return { path, remove, [Symbol.dispose]: remove };
}

function removeDir(path: string): void {
  // The retries are for files that a process just killed still holds open on some file systems.
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  present.delete(path);
}
