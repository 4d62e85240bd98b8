import type { Readable, Writable } from 'node:stream';

/** What a command may use of its process. Tests pass their own. */
export interface ProcessContext {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: { readonly [name: string]: string | undefined };
  readonly cwd: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Aborted by the first SIGINT or SIGTERM. A command that reads it must finish its work in good order and return. */
  readonly stopped: AbortSignal;
}

/** Resolves when the user or the system asks the process to end. */
export async function untilStopped({ stopped }: ProcessContext): Promise<void> {
  if (stopped.aborted) return;
  await new Promise<void>((resolve) => {
    stopped.addEventListener('abort', () => resolve(), { once: true });
  });
}
