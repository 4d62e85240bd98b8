import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compilePreload } from './preload.ts';

/** The wall clock of another process, moved while it runs. Clocks that measure spans (monotonic) stay true. */
export class ShiftedClock {
  /** For the process whose clock it is. */
  readonly env: Readonly<Record<string, string>>;
  readonly #path: string;
  #offsetMs = 0;

  /**
   * Compiles what is to be loaded into that process.
   *
   * @param dir for the compiled library and the offset; the user of the process must be able to enter it
   * @returns `undefined` where there is no C compiler, or no Linux
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

  /** How far ahead of the machine's clock it is, ms. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** Takes effect at the process's next look at its clock. */
  set(offsetMs: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(Math.round(offsetMs * 1_000)) * 1_000n);
    // In place: the process has mapped the file into its memory.
    const file = openSync(this.#path, 'r+');
    writeSync(file, bytes, 0, 8, 0);
    closeSync(file);
    this.#offsetMs = offsetMs;
  }
}
