import type { StatsGrouping } from '@tallystick/protocol';
import { type Tone, toneOfOutcome } from '../elements/signs/badge.tsx';

/** The tones of outcomes, from the bottom of a bar to its top. */
export const tones: readonly Tone[] = ['good', 'quiet', 'warn', 'bad'];

/** The events of one hour. */
export interface HourBar {
  /** When it begins, ms since 1970. */
  readonly time: number;
  readonly counts: { readonly [tone in Tone]: number };
  readonly total: number;
}

const hourMs = 3_600_000;

/** A bar for each hour of a range, also for those without events. */
export function hourBars(grouping: StatsGrouping, from: number, until: number): readonly HourBar[] {
  const counts = new Map<number, Record<Tone, number>>();
  for (let time = Math.floor(from / hourMs) * hourMs; time <= until; time += hourMs)
    counts.set(time, { good: 0, warn: 0, bad: 0, quiet: 0 });
  for (const { values, records } of grouping.groups) {
    const hour = counts.get(Date.parse(values.hour ?? ''));
    if (hour !== undefined) hour[toneOfOutcome(values.outcome_status ?? '')] += records;
  }
  return [...counts].map(([time, each]) => ({
    time,
    counts: each,
    total: each.good + each.warn + each.bad + each.quiet,
  }));
}
