/** Whether this process has given its warning. All integrations of the process share it. */
let warned = false;

/** Passes a fault of an audit event to the application, or warns once. Never throws. */
export function reportTo(onError: ((error: unknown) => void) | undefined, error: unknown): void {
  if (onError !== undefined) {
    try {
      onError(error);
    } catch {
      // The application's handler threw. What the event is about must go on.
    }
    return;
  }
  if (warned) return;
  warned = true;
  const what = error instanceof Error ? error.message : String(error);
  const message = `An audit event is incomplete or lost: ${what}`;
  // Edge runtimes have no process.
  if (typeof process === 'undefined') return console.warn(message);
  process.emitWarning(message, {
    code: 'TALLYSTICK_EVENT_LOST',
    detail: 'Pass onError to see further faults of this kind.',
  });
}
