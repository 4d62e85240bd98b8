/** The user or the system asked the demo to end: SIGINT, which is Ctrl-C, or SIGTERM. */
export class Stopped extends Error {
  readonly signal: 'SIGINT' | 'SIGTERM';

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`stopped by ${signal}`);
    this.signal = signal;
  }

  /** What a shell reports for a program that the signal ended. */
  get exitCode(): number {
    return this.signal === 'SIGINT' ? 130 : 143;
  }
}

/** Aborts at the first SIGINT or SIGTERM, with {@link Stopped} as the reason. A second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stopping.abort(new Stopped(signal)));
  }
  return stopping.signal;
}

/**
 * The result of the work. If the demo is asked to end before, it rejects at once, and the caller ends what the work uses. What the work
 * then still does is ignored.
 *
 * @throws {Stopped}
 */
export async function unlessStopped<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const reject = () => stopped.reject(signal.reason as Stopped);
  signal.addEventListener('abort', reject, { once: true });
  try {
    if (signal.aborted) reject();
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener('abort', reject);
  }
}
