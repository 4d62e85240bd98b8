import { csvCell, spanText } from '@tallystick/event';
import type { StatsGroup, StatsGrouping } from '@tallystick/protocol';
import { bar } from '../../terminal/bar.ts';
import type { Column } from '../../terminal/table.ts';

/** Columns of the longest bar, and of the narrowest one. */
const widestBar = 40;
const narrowestBar = 12;

/** Spans of time without events that are shown between others: more would hide those that have events. */
const mostEmpty = 400;

const lengthMs: { readonly [part: string]: number } = { hour: 3_600_000, day: 86_400_000 };

/** The columns of a table of counts: the values, the number, and a bar. */
export function statsColumns({ by, groups }: StatsGrouping, width: number): readonly Column<StatsGroup>[] {
  const largest = groups.reduce((most, { records }) => Math.max(most, records), 0);
  const barWidth = Math.max(narrowestBar, Math.min(widestBar, Math.floor(width / 3)));
  return [
    ...by.map((part) => ({
      title: part.replaceAll('_', ' ').toUpperCase(),
      value: ({ values }: StatsGroup) => shownValue(part, values[part] ?? null),
      style: ({ values }: StatsGroup) => (values[part] == null ? ('dim' as const) : undefined),
      flexible: !(part in lengthMs),
    })),
    { title: 'EVENTS', value: ({ records }) => records, align: 'right' },
    { title: '', value: ({ records }) => bar(records, largest, barWidth), style: () => 'cyan' },
  ];
}

/** The groups as they are listed: a histogram has the hours or days without events too. */
export function shownGroups({ by, groups }: StatsGrouping): readonly StatsGroup[] {
  const [part, ...others] = by;
  const step = part === undefined ? undefined : lengthMs[part];
  if (part === undefined || step === undefined || others.length > 0) return groups;
  const shown: StatsGroup[] = [];
  for (const group of groups) {
    const [last, next] = [shown.at(-1), group].map((each) => Date.parse(String(each?.values[part])));
    const empty = (next! - last!) / step - 1;
    for (let at = 1; at <= empty && empty <= mostEmpty; at++)
      shown.push({ values: { [part]: spanText(last! + at * step) }, records: 0 });
    shown.push(group);
  }
  return shown;
}

/** The counts as CSV: a column for each part of the grouping, and one for the number. */
export function csvOfCounts(grouping: StatsGrouping): string {
  const { by } = grouping;
  const rows = shownGroups(grouping).map(({ values, records }) => [
    ...by.map((part) => (values[part] == null ? '' : shownValue(part, values[part]))),
    records,
  ]);
  return [[...by, 'events'], ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** A day as `2026-03-01`, an hour as `2026-03-01 10:00`. */
function shownValue(part: string, value: string | null): string {
  if (value === null) return '(none)';
  if (!/^\d{4}-\d\d-\d\dT\d\d:00:00Z$/.test(value)) return value;
  if (part === 'day') return value.slice(0, 10);
  return part === 'hour' ? `${value.slice(0, 10)} ${value.slice(11, 16)}` : value;
}
