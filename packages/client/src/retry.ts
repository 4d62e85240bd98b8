/** How the client repeats a request that failed for a reason that may pass. */
export interface RetryOptions {
  /** Pause before each further try, ms. An empty list switches retries off. @defaultValue [500, 2000, 5000] */
  readonly delaysMs?: readonly number[] | undefined;
  /** Longest `Retry-After` of the service that is obeyed, ms. @defaultValue 30000 */
  readonly maxRetryAfterMs?: number | undefined;
}

export const retryDefaults = Object.freeze({
  delaysMs: Object.freeze([500, 2_000, 5_000]),
  maxRetryAfterMs: 30_000,
});

/** The pause that an answer asks for (RFC 9110 section 10.2.3: seconds or a date), ms; undefined where it asks for none. */
export function retryAfterMs(response: Response, maxMs: number): number | undefined {
  const value = response.headers.get('retry-after');
  if (value === null || value === '') return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maxMs);
}

/** Resolves after a pause. Rejects with the signal's reason as soon as the signal aborts. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
