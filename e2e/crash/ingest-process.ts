import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@tallystick/testing';
import type { Orders } from './ingest-child.ts';

/** A process that ingests (ingest-child.ts), and its output. */
export class IngestProcess {
  readonly #child: ChildProcess;
  readonly #path: string;
  readonly #ended: Promise<unknown>;

  /** Spawns the process. Do it one round ahead, because loading its modules takes longer than a round. */
  constructor(outputPath: string) {
    this.#path = outputPath;
    const output = openSync(outputPath, 'a');
    const main = join(import.meta.dirname, 'ingest-child.ts');
    this.#child = spawn(process.execPath, ['--conditions=tallystick-source', main], {
      stdio: ['pipe', output, 'inherit'],
    });
    closeSync(output);
    this.#ended = once(this.#child, 'exit');
    // A process that is killed before it has read its orders breaks the pipe.
    this.#child.stdin!.on('error', () => {});
  }

  start(orders: Orders): void {
    this.#child.stdin!.write(`${JSON.stringify(orders)}\n`);
  }

  /** How many bytes the process has written. */
  get written(): number {
    return statSync(this.#path).size;
  }

  /** Waits for an acknowledgement in the output after the byte `from`. */
  async acknowledgesAfter(from: number): Promise<void> {
    await until(
      () => {
        if (this.#child.exitCode !== null) throw new Error(`ingest ended with ${this.#child.exitCode}`);
        return this.written > from && readFileSync(this.#path).subarray(from).includes('\nack ');
      },
      { timeoutMs: 60_000, intervalMs: 2, what: 'an acknowledgement' },
    );
  }

  /** Sends SIGKILL. Resolves when the process has ended. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** The whole lines of the output: a kill may have cut the last one. */
  lines(): string[] {
    const text = readFileSync(this.#path, 'utf8');
    return text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  }
}
