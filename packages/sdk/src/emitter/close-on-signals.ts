interface Closable {
  close(): Promise<unknown>;
}

/** How many emitters are closing because of a signal. Owned by this module; each thread has its own. */
let closing = 0;

/**
 * Closes the emitter when the process receives a signal to end. When all such emitters are closed, the signal is sent again and
 * has its usual effect. An application with its own shutdown procedure calls `close()` there instead.
 *
 * @param signals default: SIGTERM and SIGINT
 * @returns a function that removes the signal handlers
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
      // This handler is removed, so that the signal now ends the process. Other handlers of the application see it twice.
      if (--closing === 0) process.kill(process.pid, signal);
    });
  };
  for (const signal of signals) process.on(signal, onSignal);
  return uninstall;
}
