import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compilePreload } from './preload.ts';

/** Moves the wall clock of another process while it runs. Its monotonic clocks are not changed. */
export class ShiftedClock {
  /** The environment variables for that process. */
  readonly env: Readonly<Record<string, string>>;
  readonly #path: string;
  #offsetMs = 0;

  /**
   * Compiles the library that the process loads.
   *
   * @param dir the folder for the library and the offset. The user of the process must be able to enter it.
   * @returns `undefined` without a C compiler, or on another system than Linux
   */
  static create(dir: string): ShiftedClock | undefined {
    const library = compilePreload(join(import.meta.dirname, 'shifted-clock.c'), dir);
    return library === undefined ? undefined : new ShiftedClock(library, join(dir, 'clock-offset'));
  }

  private constructor(library: string, path: string) {
    this.#path = path;
    this.env = { LD_PRELOAD: library, SHIFTED_CLOCK: path };
    closeSync(openSync(path, 'w', 0o644));
    this.set(0);
  }

  /** How far the process's clock is ahead of the machine's clock, in ms. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** Takes effect when the process reads its clock next. */
  set(offsetMs: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(Math.round(offsetMs * 1_000)) * 1_000n);
    // The file is changed in place, because the process has mapped it into its memory.
    const file = openSync(this.#path, 'r+');
    writeSync(file, bytes, 0, 8, 0);
    closeSync(file);
    this.#offsetMs = offsetMs;
  }
}
