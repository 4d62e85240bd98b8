import type { Transport } from '@tallystick/sdk';
import { median, type Result } from '../result.ts';
import { type Platform, quietDesk, round2 } from './measure.ts';
import { startPlatform, unlimitedSettings } from './platform.ts';
import { sink } from './sink.ts';

/**
 * The audit service is away: alerts whose actions need no gate are handled as fast as while it answers. Both platforms take turns with few
 * alerts each, and each pair is compared by itself, so that a machine that is busy for a while does not decide. Beside the time by the
 * clock it is the processor time until the alerts are handled, which other programs hardly change.
 */
export async function whileAway(): Promise<Result[]> {
  const settings = unlimitedSettings();
  settings.response.automaticUpToTier = 3;
  const unreachable: Transport = {
    send: async () => {
      throw new Error('no connection');
    },
    close: async () => undefined,
  };
  const present = await startPlatform({ transport: () => sink, settings, desk: quietDesk(settings) });
  const away = await startPlatform({
    ...{ transport: () => unreachable, settings, desk: quietDesk(settings) },
    // Nobody ever answers, so all of its events are lost when it is stopped.
    onAuditError: () => undefined,
  });
  const handle = async (platform: Platform) => {
    const processor = process.cpuUsage();
    const start = performance.now();
    await platform.handle(100);
    const clockMs = performance.now() - start;
    const { user, system } = process.cpuUsage(processor);
    return { clockMs, processorMs: (user + system) / 1_000 };
  };
  type Handled = Awaited<ReturnType<typeof handle>>;
  const pairs: { present: Handled; away: Handled }[] = [];
  for (let round = -3; round < 15; round++) {
    const first = round % 2 === 0;
    const one = await handle(first ? present : away);
    const other = await handle(first ? away : present);
    if (round >= 0) pairs.push(first ? { present: one, away: other } : { present: other, away: one });
  }
  await present.stop();
  await away.stop();
  const result = (name: string, timeOf: (handled: Handled) => number): Result => {
    const ratio = round2(median(pairs.map((pair) => timeOf(pair.away) / timeOf(pair.present))));
    return {
      ...{ name: `soc, audit service away: ${name} per alert without gates, beside one that answers` },
      value: round2(median(pairs.map((pair) => timeOf(pair.away) / 100))),
      unit: 'ms',
      baseline: round2(median(pairs.map((pair) => timeOf(pair.present) / 100))),
      ...{ ratio, goal: '<= 1.05', pass: ratio <= 1.05 },
    };
  };
  return [
    result('time', ({ clockMs }) => clockMs),
    result('processor time', ({ processorMs }) => processorMs),
  ];
}
