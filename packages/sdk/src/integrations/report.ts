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
  process.emitWarning(`An audit event is incomplete or lost: ${what}`, {
    code: 'TALLYSTICK_EVENT_LOST',
    detail: 'Pass onError to see further faults of this kind.',
  });
}
