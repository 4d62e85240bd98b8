/** Waiting for work that may never end: a service, a disk or a callback of the application can hang. */
import type { Clock } from './clock.ts';

/** The result of `work`, or a rejection with the signal's reason if the signal aborts first. `work` itself goes on. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/**
 * Waits at most `ms` milliseconds for `work`, and keeps the process alive meanwhile. Throws what `work` throws in that time.
 *
 * @returns whether `work` ended in time
 */
export async function endsWithin(clock: Clock, work: Promise<unknown>, ms: number): Promise<boolean> {
  const timeout = new AbortController();
  const cancel = clock.schedule(ms, () => timeout.abort(), true);
  try {
    await abortable(work, timeout.signal);
    return true;
  } catch (thrown) {
    if (timeout.signal.aborted && thrown === timeout.signal.reason) return false;
    throw thrown;
  } finally {
    cancel();
  }
}
