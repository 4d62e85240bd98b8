interface Deliverable {
  flush(deadlineMs: number): Promise<unknown>;
  /** Whether there are events to deliver, or losses that the service does not know. */
  readonly unfinished: boolean;
}

interface Entry {
  readonly delivery: WeakRef<Deliverable>;
  readonly deadlineMs: number;
}

/**
 * The deliveries of this thread's emitters. The references are weak, so that an unused emitter can be garbage-collected. One with
 * events or losses is still referenced by the timer of its delivery.
 */
const entries = new Set<Entry>();
let listening = false;
/**
 * A flush keeps the process alive for a moment. Then `beforeExit` occurs again, and a listener of the application may emit again.
 * This bounds the repetition.
 */
const maxRounds = 10;
let rounds = 0;

/**
 * Makes an emitter deliver its events and declare its losses before the process ends because it has no more work, so that a
 * script need not call `close()`. This has no effect if the process calls `process.exit()` or is killed.
 */
export function deliverOnExit(delivery: Deliverable, deadlineMs: number): void {
  entries.add({ delivery: new WeakRef(delivery), deadlineMs });
  if (listening) return;
  listening = true;
  // In a microtask, that is after the other listeners of this event, which may emit.
  process.on('beforeExit', () => queueMicrotask(deliverAll));
}

function deliverAll(): void {
  if (rounds === maxRounds) return;
  const unfinished = [...entries].filter(({ delivery }) => delivery.deref()?.unfinished === true);
  if (unfinished.length > 0) rounds++;
  for (const entry of unfinished) void deliver(entry);
}

/** If a flush could not deliver all within its deadline, the emitter is not flushed again: the process must end. */
async function deliver(entry: Entry): Promise<void> {
  const delivery = entry.delivery.deref();
  await delivery?.flush(entry.deadlineMs);
  if (delivery?.unfinished === true) entries.delete(entry);
}
