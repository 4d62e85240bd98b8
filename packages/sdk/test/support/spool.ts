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
  const idle = (emitter) => scheduledWrites.size === 0 && emitter.report().pending === 0;
  // The spool's thread processes requests in order: its response to a request that was made after the last write means that
  // this write is done. A response may cause another write.
  const written = async (emitter) => {
    for (let wasIdle = false; !(wasIdle && idle(emitter)); ) {
      wasIdle = idle(emitter);
      await emitter.deadLetters.list();
    }
  };`;
