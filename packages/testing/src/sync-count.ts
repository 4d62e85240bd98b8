import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePreload } from './preload.ts';

/** Counts how often another process has its files written through to the disk. */
export class SyncCount {
  /** For the process that is watched. */
  readonly env: Readonly<Record<string, string>>;
  readonly #path: string;

  /**
   * @param dir for the compiled library and the count
   * @returns `undefined` where there is no C compiler, or no Linux
   */
  static create(dir: string): SyncCount | undefined {
    const library = compilePreload(join(import.meta.dirname, 'sync-count.c'), dir);
    return library === undefined ? undefined : new SyncCount(library, join(dir, 'sync-count'));
  }

  private constructor(library: string, path: string) {
    this.#path = path;
    this.env = { LD_PRELOAD: library, SYNC_COUNT: path };
    writeFileSync(path, '');
  }

  get count(): number {
    return statSync(this.#path).size;
  }
}
