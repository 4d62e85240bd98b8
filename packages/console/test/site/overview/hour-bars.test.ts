import { expect, it } from 'vitest';
import { hourBars } from '../../../src/site/overview/hour-bars.ts';

const at = (time: string) => Date.parse(`2026-11-29T${time}:00Z`);
const group = (hour: string, outcome_status: string | null, records: number) => ({
  values: { hour: `2026-11-29T${hour}:00:00Z`, outcome_status },
  records,
});

it('has a bar for each hour, with the outcomes by their meanings', () => {
  const grouping = {
    by: ['hour', 'outcome_status'],
    groups: [
      group('10', 'success', 5),
      group('10', 'failure', 1),
      group('10', 'denied', 2),
      group('12', 'timed_out', 3),
      group('12', null, 4),
      group('03', 'success', 9),
    ],
    groups_left_out: 0,
    records_left_out: 0,
  };
  expect(hourBars(grouping, at('10:30'), at('12:10'))).toEqual([
    { time: at('10:00'), counts: { good: 5, bad: 3, warn: 0, quiet: 0 }, total: 8 },
    { time: at('11:00'), counts: { good: 0, bad: 0, warn: 0, quiet: 0 }, total: 0 },
    { time: at('12:00'), counts: { good: 0, bad: 0, warn: 3, quiet: 4 }, total: 7 },
  ]);
});
