import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isStopped, startWatchdog } from '@tallystick/testing';
import type { Failpoint, ReplicaConfig } from './replica-messages.ts';

/** A replica in a process of its own, which the campaign kills and freezes. */
export class Replica {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #stopWatchdog: () => void;
  #log = '';

  private constructor(dir: string, config: ReplicaConfig) {
    mkdirSync(dir, { recursive: true });
    // A frozen process can't notice that the campaign has ended.
    this.#stopWatchdog = startWatchdog(dir, { signal: 'KILL', afterwards: 'keep' });
    const main = join(import.meta.dirname, 'replica-child.ts');
    this.#child = spawn(process.execPath, ['--conditions=tallystick-source', main, JSON.stringify(config)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    writeFileSync(join(dir, 'running.pid'), String(this.#child.pid));
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString();
    });
    this.#exited = once(this.#child, 'exit');
  }

  /** Starts a replica, and waits until its service is open. */
  static async start(dir: string, config: ReplicaConfig): Promise<Replica> {
    const replica = new Replica(dir, config);
    const ended = replica.#exited.then(() => {
      throw new Error(`a replica ended before it was ready: ${replica.#log}`);
    });
    await Promise.race([once(replica.#child, 'message'), ended]);
    ended.catch(() => undefined);
    return replica;
  }

  /** What it wrote to stderr: errors in its background. */
  get log(): string {
    return this.#log;
  }

  /** Lets it end or freeze itself at a stage. */
  arm(failpoint: Failpoint): void {
    this.#child.send(failpoint);
  }

  /** Whether it has ended or frozen itself. */
  get isStruck(): boolean {
    const { exitCode, signalCode, pid } = this.#child;
    return exitCode !== null || signalCode !== null || isStopped(pid!);
  }

  /** The signal that has ended it; null while it runs, and after an end of its own. */
  get endedBy(): NodeJS.Signals | null {
    return this.#child.signalCode;
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
    this.#stopWatchdog();
  }
}
