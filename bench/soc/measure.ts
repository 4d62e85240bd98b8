import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMemoryDesk } from '@tallystick/sdk/gate';
import type { Settings } from '../../examples/soc/src/platform/settings.ts';
import { minimumApprovalRules } from '../../examples/soc/src/response-agent/response-policy.ts';
import type { Result } from '../result.ts';
import type { startPlatform } from './platform.ts';

export type Platform = Awaited<ReturnType<typeof startPlatform>>;

/** A figure without a goal, and without another that it is compared with. */
export const none = { baseline: null, ratio: null, goal: null, pass: null } as const;

/** The part of a platform's working time that calls of `emit` may take, in per cent. */
const mostInEmit = 3;

export interface Round {
  readonly alertsPerSecond: number;
  /** Milliseconds of all threads of the process, per alert. */
  readonly processorMs: number;
  /**
   * The part of the time in which the thread of the services worked that was within calls of `emit`, in per cent. Both are by the clock: when
   * other programs have the processor, both grow alike.
   */
  readonly inEmit: number;
  readonly eventsPerAlert: number;
}

/** Handles alerts, and says what it took. */
export async function measure(platform: Platform, alerts: number): Promise<Round> {
  const before = { ...platform.spent };
  const processor = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  const start = performance.now();
  await platform.handle(alerts);
  const seconds = (performance.now() - start) / 1_000;
  // What was emitted is delivered within the measured time.
  await platform.flush();
  const { user, system } = process.cpuUsage(processor);
  const { active } = performance.eventLoopUtilization(loop);
  return {
    alertsPerSecond: alerts / seconds,
    processorMs: (user + system) / 1_000 / alerts,
    inEmit: (100 * (platform.spent.emitMs - before.emitMs)) / active,
    eventsPerAlert: (platform.spent.events - before.events) / alerts,
  };
}

export function emitResult(name: string, percent: number): Result {
  const value = round2(percent);
  return { ...none, name, value, unit: '%', goal: `<= ${mostInEmit}`, pass: value <= mostInEmit };
}

export function lossResult(name: string, lost: number): Result {
  return { ...none, name, value: lost, unit: 'events', goal: '0', pass: lost === 0 };
}

/** A desk at which nobody decides. */
export function quietDesk(settings: Settings) {
  return createMemoryDesk({
    requester: 'response-agent',
    minimumRules: () => minimumApprovalRules(settings),
  });
}

/** MiB of this process after everything that can be collected was collected. */
export function memoryAfterCollection(): { readonly heap: number; readonly resident: number } {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: Math.round(heapUsed / 2 ** 20), resident: Math.round(rss / 2 ** 20) };
}

export function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
