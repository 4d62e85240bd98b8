import type { Entry } from '../delivery/entry.ts';
import type { Redactor } from './redactor.ts';

/** A batch of a thousand takes twenty milliseconds; the application's own work goes on in between. */
const sliceMs = 1;

/**
 * Makes events ready to leave the process, in slices between which the event loop turns. What is prepared stays so,
 * and is not looked at again.
 */
export async function prepare(entries: readonly Entry[], redactor: Redactor): Promise<void> {
  let start = performance.now();
  for (const entry of entries) {
    if (entry.prepared) continue;
    entry.text = redactor.redact(entry.text);
    entry.prepared = true;
    if (performance.now() - start < sliceMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    start = performance.now();
  }
}
