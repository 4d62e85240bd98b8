import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { signal as sendSignal } from '../processes.ts';
import { until } from '../until.ts';
import { startWatchdog } from '../watchdog.ts';

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 20_000;

// A broker for tests is small and does not run long: it needs no second compiler tier and no parallel collector.
const JVM = [
  '-Xms128m',
  '-Xmx384m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Djava.awt.headless=true',
];

const LOG4J = `
appender.file.type = File
appender.file.name = file
appender.file.fileName = \${sys:tallystick.log}
appender.file.append = true
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{ISO8601} %p %c: %m%n
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = file
`;

/** One KRaft node, broker and controller in one process. In `dir`: data/, server.properties, server.log, running.pid. */
export class Broker {
  readonly id: number;
  readonly #dir: string;
  readonly #classPath: string;
  readonly #callOff: () => void;
  // Set by start, cleared when the process exits.
  #process: ChildProcess | undefined;

  constructor(id: number, dir: string, classPath: string, properties: Record<string, string>) {
    this.id = id;
    this.#dir = dir;
    this.#classPath = classPath;
    mkdirSync(dir, { recursive: true });
    const all = { ...properties, 'node.id': String(id), 'log.dirs': join(dir, 'data') };
    const lines = Object.entries(all).map((pair) => `${pair.join('=')}\n`);
    writeFileSync(this.#path('server.properties'), lines.join(''));
    writeFileSync(this.#path('log4j2.properties'), LOG4J);
    this.#callOff = startWatchdog(dir, { signal: 'KILL', afterwards: 'remove' });
  }

  /** Process id; undefined if the broker does not run. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What the broker has logged since its last start. */
  get log(): string {
    return readFileSync(this.#path('server.log'), 'utf8');
  }

  /** Prepares the empty log directory, as `kafka-storage format` does. */
  async format(clusterId: string, options: readonly string[]): Promise<void> {
    const tool = [
      'kafka.tools.StorageTool',
      'format',
      '-t',
      clusterId,
      '-c',
      this.#path('server.properties'),
    ];
    await promisify(execFile)('java', [...this.#java(), ...tool, ...options]);
  }

  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    writeFileSync(this.#path('server.log'), '');
    const output = openSync(this.#path('output.log'), 'w');
    const child = spawn('java', [...this.#java(), 'kafka.Kafka', this.#path('server.properties')], {
      stdio: ['ignore', output, output],
      cwd: this.#dir,
      detached: true,
    });
    closeSync(output);
    const pidFile = this.#path('running.pid');
    child.once('exit', () => {
      rmSync(pidFile, { force: true });
      this.#process = undefined;
    });
    child.unref();
    await once(child, 'spawn');
    this.#process = child;
    writeFileSync(pidFile, String(child.pid));
    await until(() => this.#process !== child || this.log.includes('Kafka Server started'), {
      timeoutMs: START_TIMEOUT_MS,
      intervalMs: 50,
      what: `the start of Kafka in ${this.#dir}`,
    });
    if (this.#process !== child) {
      const said = readFileSync(this.#path('output.log'), 'utf8') + this.log;
      throw new Error(`Kafka ended at its start:\n${said.slice(-3_000)}`);
    }
  }

  /** SIGSTOP and SIGCONT return at once. After any other signal, the promise resolves when the process has ended. */
  async kill(name: NodeJS.Signals): Promise<void> {
    const pid = this.pid;
    if (pid === undefined) return;
    sendSignal(pid, name);
    if (name !== 'SIGSTOP' && name !== 'SIGCONT') await this.#gone();
  }

  /** Controlled shutdown. A broker that does not end in time is killed. */
  async stop(): Promise<void> {
    const pid = this.pid;
    if (pid !== undefined) {
      sendSignal(pid, 'SIGTERM');
      sendSignal(pid, 'SIGCONT');
      await this.#gone().catch(() => this.kill('SIGKILL'));
    }
  }

  /** Ends the watchdog, after the last stop. */
  release(): void {
    this.#callOff();
  }

  #java(): string[] {
    return [
      ...JVM,
      ...['-cp', this.#classPath],
      `-Dlog4j2.configurationFile=${this.#path('log4j2.properties')}`,
      `-Dtallystick.log=${this.#path('server.log')}`,
    ];
  }

  #gone(): Promise<boolean> {
    const what = `the end of Kafka ${this.pid}`;
    return until(() => this.#process === undefined, { timeoutMs: STOP_TIMEOUT_MS, what });
  }

  #path(name: string): string {
    return join(this.#dir, name);
  }
}
