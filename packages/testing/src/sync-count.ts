import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePreload } from './preload.ts';

/** Counts how often another process calls fsync and fdatasync. */
export class SyncCount {
  /** The environment variables for that process. */
  readonly env: Readonly<Record<string, string>>;
  readonly #path: string;

  /**
   * @param dir the folder for the compiled library and the count
   * @returns `undefined` without a C compiler, or on another system than Linux
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
