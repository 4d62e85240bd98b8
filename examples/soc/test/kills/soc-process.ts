import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Orders } from './orders.ts';

/** A process with the reference platform (soc-child.ts). */
export class SocProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  /** Resolves when the services have started; rejects if the process ends before. */
  readonly started: Promise<void>;

  /** Its modules take longer to load than a round, so create it one round ahead. */
  constructor() {
    this.#child = fork(join(import.meta.dirname, 'soc-child.ts'), {
      execArgv: ['--conditions=tallystick-source', '--disable-warning=ExperimentalWarning'],
    });
    this.#ended = once(this.#child, 'exit');
    this.started = this.#says('started');
    this.started.catch(() => undefined);
  }

  begin(orders: Orders): void {
    this.#child.send(orders);
  }

  /** Resolves when the process has handled and recorded everything. */
  async ended(): Promise<void> {
    await this.#says('ended');
    await this.#ended;
  }

  /** Sends SIGKILL. Resolves when the process has ended. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** A test that fails leaves no process behind. */
  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  #says(expected: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#child.on('message', (said) => said === expected && resolve());
      this.#child.once('exit', (code) =>
        reject(new Error(`the process ended with ${code} before "${expected}"`)),
      );
    });
  }
}
