interface Deliverable {
  flush(deadlineMs: number): Promise<unknown>;
  /** Whether there are events to deliver, or losses that the service does not know. */
  readonly unfinished: boolean;
  /** Whether the service does not know the last numbers of the producer. */
  readonly owesEnd: boolean;
  declareEnd(deadlineMs: number): Promise<void>;
  recordEndNow(): void;
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
 * Makes an emitter deliver its events, declare its losses and declare its end before the process ends because it has no more work,
 * so that a script need not call `close()`.
 *
 * If the process calls `process.exit()`, only what is possible without waiting is done: a spool takes the events and the end, and a
 * later process delivers and declares them. Without a spool, and if the process is killed, the end stays unknown.
 */
export function deliverOnExit(delivery: Deliverable, deadlineMs: number): void {
  entries.add({ delivery: new WeakRef(delivery), deadlineMs });
  if (listening) return;
  listening = true;
  // In a microtask, that is after the other listeners of this event, which may emit.
  process.on('beforeExit', () => queueMicrotask(deliverAll));
  process.on('exit', () => {
    for (const { delivery } of entries) delivery.deref()?.recordEndNow();
  });
}

function deliverAll(): void {
  if (rounds === maxRounds) return;
  const all = [...entries];
  const unfinished = all.filter(({ delivery }) => delivery.deref()?.unfinished === true);
  // The end is declared only when a whole round has passed without a new event.
  const ending =
    unfinished.length > 0 ? [] : all.filter(({ delivery }) => delivery.deref()?.owesEnd === true);
  if (unfinished.length + ending.length > 0) rounds++;
  for (const entry of unfinished) void deliver(entry);
  for (const { delivery, deadlineMs } of ending) void delivery.deref()?.declareEnd(deadlineMs);
}

/** If a flush could not deliver all within its deadline, the emitter is not flushed again: the process must end. */
async function deliver(entry: Entry): Promise<void> {
  const delivery = entry.delivery.deref();
  await delivery?.flush(entry.deadlineMs);
  if (delivery?.unfinished !== true) return;
  entries.delete(entry);
  await delivery.declareEnd(entry.deadlineMs);
}
