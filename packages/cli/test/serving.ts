import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { until } from '@tallystick/testing';

const bin = resolve(import.meta.dirname, '../bin/tally.js');

/** `tally dev` or `tally serve` in a process of its own. */
export interface Serving {
  readonly url: string;
  /** The API key that `tally dev` created. */
  readonly key: string | undefined;
  stop(): Promise<void>;
}

/** Starts a command line that serves, and waits until it listens, with patience for a busy machine. */
export async function startServing(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: { readonly [name: string]: string } },
): Promise<Serving> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const address = () => /(?:listens|listening) on (http:\S+)\n/.exec(output)?.[1];
  const started = () => address() !== undefined && (args[0] !== 'dev' || output.includes('Ctrl-C'));
  await until(() => child.exitCode !== null || started(), {
    timeoutMs: 120_000,
    intervalMs: 50,
    what: args.join(' '),
  });
  const url = address();
  if (url === undefined || !started()) throw new Error(`tally ${args.join(' ')} ended: ${output}`);
  return {
    url,
    key: /TALLYSTICK_API_KEY=(\S+)/.exec(output)?.[1],
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
