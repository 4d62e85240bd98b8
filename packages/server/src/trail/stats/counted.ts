import type { Grouping } from '@tallystick/event';
import type { StatsGroup, StatsGrouping } from '@tallystick/protocol';

/** Most groups of a grouping, groups by time included. */
export const maxGroups = 10_000;

/** The values of a group: of the fields in the order of the grouping, and of its span of time. */
export interface GroupKey {
  readonly fields: readonly (string | null)[];
  readonly time: string | null;
}

/** Names a grouping's parts, the span of time last. */
function partsOf({ fields, time }: Grouping): string[] {
  return [...fields, ...(time === undefined ? [] : [time])];
}

export function groupOf(grouping: Grouping, { fields, time }: GroupKey, records: number): StatsGroup {
  const values = [...fields, ...(grouping.time === undefined ? [] : [time])];
  return {
    values: Object.fromEntries(partsOf(grouping).map((part, at) => [part, values[at] ?? null])),
    records,
  };
}

/** @param shown in order. @param all how many groups there are, and how many records they have together */
export function groupingOf(
  grouping: Grouping,
  shown: readonly StatsGroup[],
  all: { readonly groups: number; readonly records: number },
): StatsGrouping {
  const records = shown.reduce((sum, group) => sum + group.records, 0);
  return {
    by: partsOf(grouping),
    groups: shown,
    groups_left_out: all.groups - shown.length,
    records_left_out: all.records - records,
  };
}
