import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceName } from '../soc.ts';
import type { PlatformSettings } from './process-settings.ts';
import { endingOrder, serviceNames } from './service-names.ts';
import { SupervisedProcess } from './supervised-process.ts';

/** Longer than a service takes to deliver what it has. */
const stopMs = 40_000;

export interface SupervisorOptions {
  readonly platform: PlatformSettings;
  /** A key of the audit service for each service. */
  readonly apiKeys: Readonly<Record<ServiceName, string>>;
  /** The program that runs a service. @defaultValue `main.ts` beside this file */
  readonly program?: string | undefined;
  /** Called with what a process writes. @defaultValue it is written to the standard error stream */
  readonly onOutput?: ((service: ServiceName, text: string) => void) | undefined;
  /** Called when a process ended by itself, and is started again. @defaultValue none */
  readonly onRestart?: ((service: ServiceName, how: string) => void) | undefined;
}

/** How each process ended: its exit code, or the signal that ended it. */
export type Stopped = Readonly<Record<ServiceName, number | NodeJS.Signals | undefined>>;

/** Starts all services as processes, restarts processes that end, and stops all of them. */
export class Supervisor {
  /** The secret with which the processes of this platform authenticate their calls. */
  readonly callKey = randomBytes(32).toString('base64url');
  readonly #processes: ReadonlyMap<ServiceName, SupervisedProcess>;

  constructor(options: SupervisorOptions) {
    const { platform, apiKeys, program = join(import.meta.dirname, 'main.ts') } = options;
    // Processes load the same code, and load it again after each restart.
    const cache = join(platform.directory, 'compile-cache');
    const { onOutput = (_service, text) => void process.stderr.write(text), onRestart } = options;
    mkdirSync(platform.directory, { recursive: true, mode: 0o700 });
    const file = join(platform.directory, 'platform.json');
    writeFileSync(file, `${JSON.stringify(platform, null, 2)}\n`, { mode: 0o600 });
    chmodSync(file, 0o600);
    this.#processes = new Map(
      serviceNames.map((name) => [
        name,
        new SupervisedProcess({
          name,
          program,
          args: [name, '--platform', file],
          env: {
            NODE_COMPILE_CACHE: cache,
            ...process.env,
            TALLYSTICK_API_KEY: apiKeys[name],
            SOC_CALL_KEY: this.callKey,
          },
          stopMs,
          onOutput: (text) => onOutput(name, text),
          onRestart: (how) => onRestart?.(name, how),
        }),
      ]),
    );
  }

  /** Resolves when all services work. @throws {Error} if one can't be started; then all are stopped */
  async start(): Promise<void> {
    for (const one of this.#processes.values()) one.start();
    try {
      await this.ready();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Resolves when all services work, after restarts too. */
  async ready(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((one) => one.ready()));
  }

  /** Process id of a service; `undefined` while it is being started again. */
  pidOf(service: ServiceName): number | undefined {
    return this.#processes.get(service)!.pid;
  }

  /** Sends a signal to the process of a service. It is started again when it has ended. */
  kill(service: ServiceName, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.#processes.get(service)!.kill(signal);
  }

  /** Ends all processes, those first that call others. Each delivers what it has. */
  async stop(): Promise<Stopped> {
    const ended: (readonly [ServiceName, number | NodeJS.Signals | undefined])[] = [];
    for (const names of endingOrder) {
      const stop = async (name: ServiceName) => [name, await this.#processes.get(name)!.stop()] as const;
      ended.push(...(await Promise.all(names.map(stop))));
    }
    return Object.fromEntries(ended) as Stopped;
  }
}
