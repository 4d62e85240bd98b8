/**
 * Source text for {@link runChild} that defines `clock` for an emitter with a spool, and `await written(emitter)`: waits until
 * all events and all gaps that the emitter has so far are on disk, or their room is used up. `fsyncIntervalMs` must be 7, by
 * which the clock recognises a scheduled write.
 */
export const writtenToDisk = `
  const scheduledWrites = new Set();
  const clock = {
    now: () => sdk.systemClock.now(),
    schedule(ms, task, keepAlive) {
      const write = {};
      if (ms === 7) scheduledWrites.add(write);
      const cancel = sdk.systemClock.schedule(ms, () => { scheduledWrites.delete(write); task(); }, keepAlive);
      return () => { scheduledWrites.delete(write); cancel(); };
    },
  };
  // The spool's thread processes requests in order, so its response means that all writes before it are done.
  const written = async (emitter) => {
    do await emitter.deadLetters.list(); while (scheduledWrites.size > 0 || emitter.report().pending > 0);
  };`;
