import type { Clock } from '@tallystick/sdk';

/** Work did not end in time. It may still go on. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/** @throws {TimedOut} if `work` has not ended after `ms` */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  let cancel: () => void = () => undefined;
  const limit = new Promise<never>((_, reject) => {
    cancel = clock.schedule(ms, () => reject(new TimedOut(`no answer within ${ms} ms`)), true);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    cancel();
  }
}
