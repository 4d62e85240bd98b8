/** What a process that ends by itself still delivers. */
interface Deliverable {
  flush(): Promise<{ readonly pending: number }>;
  report(): { readonly pending: number };
}

/** Emitters of this thread, held weakly: one that nobody uses any more may go. */
const emitters = new Set<WeakRef<Deliverable>>();
let listening = false;

/**
 * Delivers what the emitter holds when the process has nothing else to do, so that a script need not call `close()`.
 * A process that calls `process.exit()` or is killed does not come here.
 */
export function deliverOnExit(emitter: Deliverable): void {
  emitters.add(new WeakRef(emitter));
  if (listening) return;
  listening = true;
  let idle = false;
  process.on('beforeExit', () => {
    // Once: what one flush could not deliver within its deadline, the next would not either.
    if (idle) return;
    idle = true;
    for (const reference of emitters) {
      const held = reference.deref();
      if (held === undefined) emitters.delete(reference);
      else if (held.report().pending > 0) void held.flush();
    }
  });
}
