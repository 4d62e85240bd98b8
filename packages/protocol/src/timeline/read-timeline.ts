import { type EventFilters, uuidPattern } from '@tallystick/event';
import type { EventPage, EventView } from '../api/events.ts';
import { correlationOfRun, recordsOfRun } from './agent-run.ts';
import { inOrder, type TimelineRecord, textIn, timelineRecord } from './timeline-record.ts';

/** What the records of a timeline have in common: exactly one of these. */
export interface TimelineSubject {
  readonly investigation_id?: string;
  readonly correlation_id?: string;
  readonly trace_id?: string;
  /** A run of an agent: the `audit_id` of its record `agent.run.started`. */
  readonly run_id?: string;
}

/** What the service has about an investigation, a correlation, a trace or a run of an agent. */
export interface Timeline {
  readonly tenantId: string;
  readonly subject: TimelineSubject;
  /** In the order of time. */
  readonly records: readonly TimelineRecord[];
  /** Whether there are more records than were read. */
  readonly isCut: boolean;
  /** Causes that are not among the records: the event, or `undefined` where the service has none. */
  readonly outside: ReadonlyMap<string, EventView | undefined>;
  /** Whether there are more causes outside than were looked up. */
  readonly outsideIsCut: boolean;
  /** The tenant's newest records about deliveries. */
  readonly deliveries: readonly EventView[];
  readonly deliveriesAreCut: boolean;
}

/** Where a timeline is read from. */
export interface TimelineSource {
  list(query: {
    readonly filters: EventFilters;
    readonly order: 'asc' | 'desc';
    readonly limit: number;
    readonly cursor: string | undefined;
  }): Promise<EventPage>;
  /** The event; `undefined` if the trail does not have it. */
  get(auditId: string): Promise<EventView | undefined>;
}

const pageSize = 1_000;
/** Characters of the events of a timeline, as JSON. */
const mostCharacters = 16 * 1024 * 1024;
/** Causes outside of the subject that are looked up. Each is a request. */
const causesAsked = 50;
/** Records about deliveries that are read. */
const deliveriesRead = 1_000;

/** Reads the records of a subject, and what tells whether they are complete. */
export async function readTimeline(
  source: TimelineSource,
  { tenantId, subject, limit }: { tenantId: string; subject: TimelineSubject; limit: number },
): Promise<Timeline> {
  const found = await recordsOf(source, subject, limit);
  const records = found.records.toSorted(inOrder);
  const { outside, outsideIsCut } = await causesOutside(source, records);
  // A timeline without records needs no more.
  const deliveries =
    records.length === 0
      ? { events: [], isCut: false }
      : await listUpTo(source, { event_type: 'delivery.*' }, 'desc', deliveriesRead);
  return {
    tenantId,
    subject,
    records,
    isCut: found.isCut,
    outside,
    outsideIsCut,
    // Only the service's own records count. A client may have written others before these types were reserved.
    deliveries: deliveries.events.filter(
      (event) => event.claimed !== true && textIn(event, 'event_type')?.startsWith('delivery.') === true,
    ),
    deliveriesAreCut: deliveries.isCut,
  };
}

/** Looks up the causes of these records that are not among them. */
export async function causesOutside(
  source: TimelineSource,
  records: readonly TimelineRecord[],
): Promise<Pick<Timeline, 'outside' | 'outsideIsCut'>> {
  const known = new Set(records.map(({ id }) => id));
  const causes = new Set(records.map(({ cause }) => cause).filter((cause) => cause !== undefined));
  const unknown = [...causes].filter((cause) => !known.has(cause));
  const outside = new Map<string, EventView | undefined>();
  for (const cause of unknown.slice(0, causesAsked)) {
    // A client chose it. Only an id can be asked for.
    outside.set(cause, uuidPattern.test(cause) ? await source.get(cause) : undefined);
  }
  return { outside, outsideIsCut: unknown.length > causesAsked };
}

async function recordsOf(
  source: TimelineSource,
  { run_id, ...filters }: TimelineSubject,
  limit: number,
): Promise<{ readonly records: readonly TimelineRecord[]; readonly isCut: boolean }> {
  const correlation_id = run_id === undefined ? undefined : await correlationOfRun(run_id, source.get);
  if (run_id !== undefined && correlation_id === undefined) return { records: [], isCut: false };
  const found = await listUpTo(
    source,
    correlation_id === undefined ? filters : { correlation_id },
    'asc',
    limit,
  );
  const records = found.events.map(timelineRecord);
  return { isCut: found.isCut, records: run_id === undefined ? records : recordsOfRun(run_id, records) };
}

/** Events that match, at most `limit` of them and 16 MiB. */
export async function listUpTo(
  source: TimelineSource,
  filters: EventFilters,
  order: 'asc' | 'desc',
  limit: number,
): Promise<{ readonly events: readonly EventView[]; readonly isCut: boolean }> {
  const events: EventView[] = [];
  let characters = 0;
  let cursor: string | undefined;
  for (;;) {
    const wanted = Math.min(limit - events.length, pageSize);
    const page = await source.list({ filters, order, limit: wanted, cursor });
    for (const event of page.events) {
      characters += JSON.stringify(event).length;
      if (characters > mostCharacters) return { events, isCut: true };
      events.push(event);
    }
    const next = page.next_cursor ?? undefined;
    if (next === undefined) return { events, isCut: false };
    // A service that names the same page again would be asked without end. Where the budget of a page ended it, so does this.
    if (events.length >= limit || next === cursor || page.complete === false) return { events, isCut: true };
    cursor = next;
  }
}
