interface Deliverable {
  flush(): Promise<{ readonly pending: number }>;
  report(): { readonly pending: number };
}

/**
 * The emitters of this thread. The references are weak, so that an unused emitter can be garbage-collected. One with events is
 * still referenced by the timer of its delivery.
 */
const emitters = new Set<WeakRef<Deliverable>>();
let listening = false;
/**
 * A flush keeps the process alive for a moment. Then `beforeExit` occurs again, and a listener of the application may emit again.
 * This bounds the repetition.
 */
const maxRounds = 10;
let rounds = 0;

/**
 * Makes the emitter deliver its events before the process ends because it has no more work, so that a script need not call
 * `close()`. This has no effect if the process calls `process.exit()` or is killed.
 */
export function deliverOnExit(emitter: Deliverable): void {
  emitters.add(new WeakRef(emitter));
  if (listening) return;
  listening = true;
  // In a microtask, that is after the other listeners of this event, which may emit.
  process.on('beforeExit', () => queueMicrotask(deliverAll));
}

function deliverAll(): void {
  if (rounds === maxRounds) return;
  const withEvents = [...emitters].filter((reference) => (reference.deref()?.report().pending ?? 0) > 0);
  if (withEvents.length > 0) rounds++;
  for (const reference of withEvents) void deliver(reference);
}

/** If a flush could not deliver all events within its deadline, the emitter is not flushed again: the process must end. */
async function deliver(reference: WeakRef<Deliverable>): Promise<void> {
  const { pending } = (await reference.deref()?.flush()) ?? { pending: 0 };
  if (pending > 0) emitters.delete(reference);
}
