import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './temp-dir.ts';
import { startWatchdog } from './watchdog.ts';

/** A file system in memory that can be full. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  /** Bytes that can still be written. */
  readonly free: number;
  /** Takes away what is free, but for `leave` bytes, until {@link empty}. */
  fill(leave?: number): void;
  /** Gives back what was taken. */
  empty(): void;
  /** Unmounts it, with all that is on it; a second call does nothing. */
  remove(): void;
}

const mostTries = 20;

/**
 * Mounts a tmpfs of this many bytes; only what is written to it takes memory.
 *
 * @returns `undefined` where this process may not mount: it must be root, and not in a container without that right
 */
export function smallDisk(bytes: number): SmallDisk | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const dir = tempDir('tallystick-disk-');
  const path = join(dir.path, 'mounted');
  mkdirSync(path);
  try {
    run('mount', '-t', 'tmpfs', '-o', `size=${bytes},mode=0755`, 'tallystick-tests', path);
  } catch {
    dir.remove();
    return undefined;
  }
  const callOff = startWatchdog(path, { signal: 'KILL', afterwards: 'unmount' });
  // Its size, not a ballast file: that would take real memory for as long as the disk is full.
  const resize = (size: number) => run('mount', '-o', `remount,size=${Math.ceil(size / 4096) * 4096}`, path);
  let present = true;
  const remove = () => {
    if (!present) return;
    present = false;
    run('umount', '--lazy', path);
    callOff();
    dir.remove();
  };
  return {
    path,
    get free() {
      return freeBytes(path);
    },
    fill(leave = 0) {
      for (let tries = 1; ; tries++) {
        const { blocks, bfree, bsize } = statfsSync(path);
        try {
          return resize((blocks - bfree) * bsize + leave);
        } catch (error) {
          // Somebody has written meanwhile, and it can't get smaller than what it holds.
          if (tries === mostTries) throw error;
        }
      }
    },
    empty: () => resize(bytes),
    remove,
    [Symbol.dispose]: remove,
  };
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

function run(command: string, ...parameters: string[]): void {
  execFileSync(command, parameters, { stdio: 'pipe' });
}
