import type { Client } from '@tallystick/client';
import type { EventView, TimelineEntry } from '@tallystick/protocol';
import { useEffect, useMemo } from 'preact/hooks';
import { mostChecked, PageCheck } from '../events/checks/page-check.ts';
import type { Subject } from '../trail/timeline-subject.ts';

/** The check of a timeline's records by this browser: the newest ones, as many as a page of the list has. */
export interface TimelineCheck {
  readonly check: PageCheck;
  readonly run: () => void;
}

/** The check for a subject that lists can be filtered by. A run of an agent is none: its records name only their causes. */
export function useTimelineCheck(
  client: Client,
  tenant: string,
  { field, id }: Subject,
  records: readonly TimelineEntry[] | undefined,
): TimelineCheck | undefined {
  const check = useMemo(
    () =>
      field === 'run_id'
        ? undefined
        : new PageCheck(client, { tenant_id: tenant, filters: { [field]: id } as never }),
    [client, tenant, field, id],
  );
  useEffect(() => () => check?.close(), [check]);
  if (check === undefined || records === undefined || records.length === 0) return undefined;
  return { check, run: () => void check.run(newestFirst(records)) };
}

/** In the order of a list, with which the check compares them. */
function newestFirst(records: readonly TimelineEntry[]): readonly EventView[] {
  const placeOf = ({ epoch, sequence_number }: EventView) =>
    [Number(epoch), Number(sequence_number)] as const;
  return records
    .map(({ event }) => event)
    .toSorted((a, b) => {
      const [[epochA, numberA], [epochB, numberB]] = [placeOf(a), placeOf(b)];
      return epochB - epochA || numberB - numberA;
    })
    .slice(0, mostChecked);
}
