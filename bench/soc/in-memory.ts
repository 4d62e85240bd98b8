import { median, type Result } from '../result.ts';
import { emitResult, measure, none, quietDesk, type Round, round2 } from './measure.ts';
import { startPlatform, unlimitedSettings } from './platform.ts';
import { sink } from './sink.ts';

/**
 * The same alerts with and without emitters, in turns, after both are warm.
 *
 * A call of `emit` takes 15 to 20 µs here, beside offline models that answer in 0.1 ms. In a loop of nothing else the same calls take
 * 4 µs: between the steps of LangGraph the processor's caches hold other code. What was tried: one emitter for all services instead of
 * one each (3.7 % instead of 3.7 to 4.3), events without members that are `undefined` (3.8 %), and the events of one turn of the event loop
 * together (1.4 %; refused, because a crash within the turn would lose the record of something that happened). What is kept: a taxonomy's
 * shapes are checked by compiled functions, and only events that they refuse are looked at again to say what is wrong (12 to 16 % of a
 * call).
 */
export async function inMemory(): Promise<Result[]> {
  const settings = unlimitedSettings();
  const audited = await startPlatform({ transport: () => sink, settings, desk: quietDesk(settings) });
  const bare = await startPlatform({ settings, desk: quietDesk(settings) });
  const rounds: { audited: Round; bare: Round }[] = [];
  for (let round = -2; round < 7; round++) {
    const first = round % 2 === 0;
    const one = await measure(first ? audited : bare, 400);
    const other = await measure(first ? bare : audited, 400);
    if (round >= 0) rounds.push(first ? { audited: one, bare: other } : { audited: other, bare: one });
  }
  await audited.stop();
  await bare.stop();
  const of = (value: (round: { audited: Round; bare: Round }) => number) => median(rounds.map(value));
  return [
    {
      name: 'soc, trail in memory: alerts per second, beside no emitter',
      value: round2(of((pair) => pair.audited.alertsPerSecond)),
      unit: 'alerts/s',
      baseline: round2(of((pair) => pair.bare.alertsPerSecond)),
      ratio: round2(of((pair) => pair.audited.alertsPerSecond / pair.bare.alertsPerSecond)),
      goal: null,
      pass: null,
    },
    emitResult(
      'soc, trail in memory: working time within emit',
      of((pair) => pair.audited.inEmit),
    ),
    {
      name: 'soc, trail in memory: processor time per alert, beside no emitter',
      value: round2(of((pair) => pair.audited.processorMs)),
      unit: 'ms',
      baseline: round2(of((pair) => pair.bare.processorMs)),
      ratio: round2(of((pair) => pair.audited.processorMs / pair.bare.processorMs)),
      goal: null,
      pass: null,
    },
    {
      ...{ ...none, name: 'soc: events per alert, without those of the gates', unit: 'events' },
      value: round2(of((pair) => pair.audited.eventsPerAlert)),
    },
  ];
}
