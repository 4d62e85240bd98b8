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

/** The result of `work`. Throws if `work` takes longer than `ms` milliseconds; it goes on then, and its result is lost. */
export async function resultWithin<T>(clock: Clock, work: Promise<T>, ms: number): Promise<T> {
  let result: { readonly value: T } | undefined;
  const kept = work.then((value) => {
    result = { value };
  });
  await endsWithin(clock, kept, ms);
  if (result === undefined) throw new Error(`no answer within ${ms} ms`);
  return result.value;
}
