import type { EventFilters } from '@tallystick/event';
import { causesOutside, listUpTo, type TimelineSource } from './read-timeline.ts';
import { timelineRecord } from './timeline-record.ts';

/** A cause that a record names and that the trail does not have. */
export interface UnknownCause {
  /** The `parent_id` of the record. */
  readonly cause: string;
  /** The `audit_id` of the record. */
  readonly audit_id: string;
  readonly sequence_number: number;
}

/**
 * Looks for causes that are not in the trail, of the newest records that match. A cause that is not among them is asked for by its id, 50 at
 * most.
 *
 * @returns `more`: older records, or more causes, were not looked at; `read`: the number of records that were
 */
export async function readUnknownCauses(
  source: TimelineSource,
  { filters, records: limit }: { readonly filters: EventFilters; readonly records: number },
): Promise<{ readonly found: readonly UnknownCause[]; readonly more: boolean; readonly read: number }> {
  const { events, isCut } = await listUpTo(source, filters, 'desc', limit);
  const records = events.map(timelineRecord);
  const { outside, outsideIsCut } = await causesOutside(source, records);
  const found = records.flatMap(({ cause, id, sequence }) =>
    cause !== undefined && outside.has(cause) && outside.get(cause) === undefined
      ? [{ cause, audit_id: id, sequence_number: sequence }]
      : [],
  );
  return { found, more: isCut || outsideIsCut, read: records.length };
}
