import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePreload } from './preload.ts';

/** Makes the disk of one directory full for another process alone. Needs no rights, unlike a small file system. */
export class FullDisk {
  /** The environment variables for that process. */
  readonly env: Readonly<Record<string, string>>;
  readonly #switch: string;

  /**
   * @param dir the folder for the compiled library and the switch
   * @param under the directory whose files can't be written
   * @returns `undefined` without a C compiler, or on another system than Linux
   */
  static create(dir: string, under: string): FullDisk | undefined {
    const library = compilePreload(join(import.meta.dirname, 'full-disk.c'), dir);
    return library === undefined ? undefined : new FullDisk(library, join(dir, 'disk-is-full'), under);
  }

  private constructor(library: string, path: string, under: string) {
    this.#switch = path;
    this.env = { LD_PRELOAD: library, FULL_DISK_SWITCH: path, FULL_DISK_UNDER: under };
  }

  /**
   * Writes fail with ENOSPC from now on.
   *
   * @param seen whether the file system also reports that it is full. If not, a program only learns of it from its writes: as if
   *   another program took the space a moment after it asked
   */
  fill({ seen }: { readonly seen: boolean }): void {
    writeFileSync(this.#switch, '', { mode: seen ? 0o755 : 0o644 });
  }

  /** Ends what {@link fill} did. */
  empty(): void {
    rmSync(this.#switch, { force: true });
  }
}
