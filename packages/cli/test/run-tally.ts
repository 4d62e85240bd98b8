import { Readable, Writable } from 'node:stream';
import { runCli } from '../src/program.ts';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON lines. */
  readonly json: () => unknown[];
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array | Readable;
  readonly env?: { readonly [name: string]: string | undefined };
  readonly cwd?: string;
  readonly now?: number;
  readonly stopped?: AbortSignal;
  /** Whether the streams are a terminal. @defaultValue false */
  readonly tty?: boolean;
}

/** Runs one command line in this process, with its own streams, environment and clock. */
export async function tally(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const stdout = new Collector(options.tty);
  const stderr = new Collector(options.tty);
  const { stdin = '' } = options;
  const exitCode = await runCli(args, {
    stdin:
      stdin instanceof Readable
        ? stdin
        : Readable.from(typeof stdin === 'string' ? [Buffer.from(stdin)] : [stdin]),
    stdout,
    stderr,
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    now: () => options.now ?? Date.now(),
    stopped: options.stopped ?? new AbortController().signal,
  });
  return {
    exitCode,
    stdout: stdout.text,
    stderr: stderr.text,
    json: () =>
      stdout.text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  };
}

class Collector extends Writable {
  readonly isTTY: boolean;
  readonly columns = 100;
  text = '';

  constructor(tty = false) {
    super({ decodeStrings: false });
    this.isTTY = tty;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
