import { PerformanceObserver } from 'node:perf_hooks';

/** Milliseconds of the system's monotonic clock. All processes of a machine read the same one. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** A time in which a process did nothing else. */
export interface Pause {
  readonly what: 'garbage collection' | 'event loop';
  readonly from: number;
  readonly to: number;
}

const shortestMs = 5;
const tickMs = 5;

/** Notes the pauses of this process from now on: collections of garbage, and whatever else keeps timers waiting. */
export function notePauses(): { readonly pauses: readonly Pause[]; stop(): void } {
  const pauses: Pause[] = [];
  const offset = nowMs() - performance.now();
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      const from = startTime + offset;
      if (duration >= shortestMs) pauses.push({ what: 'garbage collection', from, to: from + duration });
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  let expected = nowMs() + tickMs;
  const timer = setInterval(() => {
    const now = nowMs();
    if (now - expected >= shortestMs) pauses.push({ what: 'event loop', from: expected, to: now });
    expected = now + tickMs;
  }, tickMs);
  return {
    pauses,
    stop: () => {
      clearInterval(timer);
      observer.disconnect();
    },
  };
}
