/** What a process that ends by itself still delivers. */
interface Deliverable {
  flush(): Promise<{ readonly pending: number }>;
  report(): { readonly pending: number };
}

/** Emitters of this thread, held weakly: one that nobody uses any more may go. */
const emitters = new Set<WeakRef<Deliverable>>();
let listening = false;
/** What is delivered keeps the process going for a moment, at whose end others may emit again, each time. */
const mostRounds = 10;
let rounds = 0;

/**
 * Delivers what the emitter holds when the process has nothing else to do, so that a script need not call `close()`.
 * A process that calls `process.exit()` or is killed does not come here.
 */
export function deliverOnExit(emitter: Deliverable): void {
  emitters.add(new WeakRef(emitter));
  if (listening) return;
  listening = true;
  // When all others have been told, who may emit at this.
  process.on('beforeExit', () => queueMicrotask(deliverAll));
}

function deliverAll(): void {
  if (rounds === mostRounds) return;
  const holding = [...emitters].filter((reference) => (reference.deref()?.report().pending ?? 0) > 0);
  if (holding.length > 0) rounds++;
  for (const reference of holding) void deliver(reference);
}

/** What one flush could not deliver within its deadline, the next would not either, and the process would never end. */
async function deliver(reference: WeakRef<Deliverable>): Promise<void> {
  const { pending } = (await reference.deref()?.flush()) ?? { pending: 0 };
  if (pending > 0) emitters.delete(reference);
}
