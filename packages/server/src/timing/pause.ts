import { setTimeout as delay } from 'node:timers/promises';

/** Waits for `ms`, or until the signal aborts if that is earlier. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
