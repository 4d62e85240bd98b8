interface Closable {
  close(): Promise<unknown>;
}

/** Emitters that are closing for a signal. Owned by this module, one a thread; the last of them lets the process end. */
let closing = 0;

/**
 * Closes the emitter when the process is told to end, then lets it end as it would have. Opt-in: an application that
 * has its own shutdown calls `close()` there instead.
 *
 * @param signals @defaultValue SIGTERM and SIGINT
 * @returns takes the hook away again
 */
export function closeOnSignals(
  emitter: Closable,
  signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'],
): () => void {
  const uninstall = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    uninstall();
    closing++;
    emitter.close().finally(() => {
      // With its handler gone the signal has its default effect; other handlers of the application see it once more.
      if (--closing === 0) process.kill(process.pid, signal);
    });
  };
  for (const signal of signals) process.on(signal, onSignal);
  return uninstall;
}
