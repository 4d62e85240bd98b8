import { type ChildProcess, spawn } from 'node:child_process';

const sdk = new URL('../../src/index.ts', import.meta.url).href;
const http = new URL('../../src/transport/http.ts', import.meta.url).href;

export interface Child {
  readonly process: ChildProcess;
  /** Resolves when the process has printed this text. */
  said(text: string): Promise<void>;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; output: string }>;
}

/** Runs a script in its own process. The script can use `sdk` and `httpTransport`. */
export function runChild(script: string, env: Record<string, string> = {}): Child {
  const source = `import * as sdk from ${JSON.stringify(sdk)}; import { httpTransport } from ${JSON.stringify(http)};\n${script}`;
  const args = ['--conditions=tallystick-source', '--input-type=module', '--eval', source];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const look of waiting) look();
    });
  }
  child.channel?.unref();
  return {
    process: child,
    said: (text) =>
      new Promise((resolve) => {
        const look = () => {
          if (!output.includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    ended: new Promise((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, output }));
    }),
  };
}
