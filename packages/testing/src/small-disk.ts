import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './temp-dir.ts';
import { startWatchdog } from './watchdog.ts';

/** A small file system in memory that a test can fill. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  /** The number of bytes that can still be written. */
  readonly free: number;
  /** Leaves only `leave` bytes free, until {@link empty} is called. */
  fill(leave?: number): void;
  /** Ends what {@link fill} did. */
  empty(): void;
  /** Unmounts the file system and loses its files. A second call does nothing. */
  remove(): void;
}

const mostTries = 20;

/**
 * Mounts a tmpfs of `size` bytes. Only what is written to it takes memory.
 *
 * @returns `undefined` if this process may not mount: it must be root, and a container must allow it
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
  // Changes the size of the file system. A file that fills it would take real memory.
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
          // Another process has written meanwhile, and the file system can't become smaller than its files.
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
