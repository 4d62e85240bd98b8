import { setImmediate } from 'node:timers/promises';

/** Events that are admitted before the event loop serves other work. A thousand events take tens of milliseconds. */
const eventsPerTurn = 64;

/** Whether a loop over many events should let other work run before the event at `index`: `await nextTurn()` does. */
export function endsTurn(index: number): boolean {
  return index % eventsPerTurn === eventsPerTurn - 1;
}

/** Resolves when the event loop has served requests, heartbeats and answers of the store. */
export async function nextTurn(): Promise<void> {
  await setImmediate();
}
