import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from '@tallystick/testing';
import type { ExecutorOrders } from './executor-child.ts';

/** A process of an agent (executor-child.ts), and the lines that it has written. */
export class ExecutorProcess implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(orders: ExecutorOrders) {
    const main = join(import.meta.dirname, 'executor-child.ts');
    this.#child = spawn(process.execPath, ['--conditions=tallystick-source', main, JSON.stringify(orders)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#child, 'exit');
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.lines.push(line));
  }

  /** Waits for a line that begins so, and returns it. */
  async line(start: string): Promise<string> {
    const find = () => this.lines.find((line) => line.startsWith(start));
    await until(
      () => {
        if (this.#child.exitCode !== null && find() === undefined)
          throw new Error(`the executor ended: ${this.lines.join(', ')}`);
        return find() !== undefined;
      },
      { timeoutMs: 60_000, what: `the line ${start}` },
    );
    return find()!;
  }

  write(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** Sends SIGKILL. Resolves when the process has ended. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
