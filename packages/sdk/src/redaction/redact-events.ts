import type { PendingEvent } from '../event/pending-event.ts';
import type { WireRedactor } from './wire-redactor.ts';

/** A batch of a thousand events takes about 10 ms. After each slice of this length, the application's own work may run. */
const sliceMs = 1;

/** Removes secrets from the text of every event that is not redacted yet. */
export async function redactEvents(events: readonly PendingEvent[], redactor: WireRedactor): Promise<void> {
  let sliceStart = performance.now();
  for (const event of events) {
    if (event.redacted) continue;
    event.text = redactor.redact(event.text);
    event.redacted = true;
    if (performance.now() - sliceStart < sliceMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceStart = performance.now();
  }
}
