import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { until } from '@tallystick/testing';

const bin = resolve(import.meta.dirname, '../bin/tally.js');

/** `tally serve` in a process of its own. */
export interface ServeProcess extends AsyncDisposable {
  readonly url: string;
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<{ readonly code: number; readonly stderr: string }>;
}

/** Starts it and waits until it is ready, with patience for a busy machine. */
export async function startServe(
  env: Record<string, string>,
  args: readonly string[] = ['serve'],
): Promise<ServeProcess> {
  const child = spawn(process.execPath, [bin, ...args, '--port', '0'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const patience = { timeoutMs: 120_000, intervalMs: 50 };
  try {
    await until(() => child.exitCode !== null || stderr.includes('listening on '), {
      ...patience,
      what: 'tally serve',
    });
    const url = /listening on (\S+)/.exec(stderr)?.[1];
    if (url === undefined) throw new Error(`tally serve ended: ${stderr}`);
    await until(async () => (await fetch(`${url}/ready`)).ok, {
      ...patience,
      what: `readiness; it said ${stderr}`,
    });
    return {
      url,
      stop: async () => {
        child.kill('SIGTERM');
        const [code] = await exited;
        return { code, stderr };
      },
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGKILL');
        await exited;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}
