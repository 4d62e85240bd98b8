/**
 * Waits for a promise, but not longer than `ms`. The work behind the promise goes on; its later result or error is
 * ignored.
 *
 * @param error makes the error for the case that the time is over
 * @throws what `error` returns, when the promise has not settled within `ms`
 */
export async function withTimeout<T>(promise: Promise<T>, ms: number, error: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(error()), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
