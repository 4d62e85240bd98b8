import { type Client, ClientError } from '@tallystick/client';
import { type EventFilters, uuidPattern } from '@tallystick/event';
import type { EventView } from '@tallystick/protocol';
import { inOrder, type TimelineRecord, textIn, timelineRecord } from './timeline-record.ts';

/** What the service has about an investigation. */
export interface Timeline {
  readonly tenantId: string;
  readonly investigationId: string;
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

const pageSize = 1_000;
/** Causes outside of the investigation that are looked up. Each is a request. */
const causesAsked = 50;
/** Records about deliveries that are read. */
const deliveriesRead = 1_000;

/** Reads an investigation, and what tells whether it is complete. */
export async function readTimeline(
  client: Client,
  { tenantId, investigationId, limit }: { tenantId: string; investigationId: string; limit: number },
): Promise<Timeline> {
  const found = await listUpTo(client, tenantId, { investigation_id: investigationId }, 'asc', limit);
  const records = found.events.map(timelineRecord).sort(inOrder);
  const known = new Set(records.map(({ id }) => id));
  const causes = new Set(records.map(({ cause }) => cause).filter((cause) => cause !== undefined));
  const unknown = [...causes].filter((cause) => !known.has(cause));
  const outside = new Map<string, EventView | undefined>();
  for (const cause of unknown.slice(0, causesAsked)) {
    outside.set(cause, await eventOf(client, tenantId, cause));
  }
  // A timeline without records needs no more.
  const deliveries =
    records.length === 0
      ? { events: [], isCut: false }
      : await listUpTo(client, tenantId, { event_type: 'delivery.*' }, 'desc', deliveriesRead);
  return {
    tenantId,
    investigationId,
    records,
    isCut: found.isCut,
    outside,
    outsideIsCut: unknown.length > causesAsked,
    // Only the service's own records count. A client may have written others before these types were reserved.
    deliveries: deliveries.events.filter(
      (event) => event.claimed !== true && textIn(event, 'event_type')?.startsWith('delivery.') === true,
    ),
    deliveriesAreCut: deliveries.isCut,
  };
}

async function listUpTo(
  client: Client,
  tenantId: string,
  filters: EventFilters,
  order: 'asc' | 'desc',
  limit: number,
): Promise<{ readonly events: readonly EventView[]; readonly isCut: boolean }> {
  const events: EventView[] = [];
  let cursor: string | undefined;
  for (;;) {
    const wanted = Math.min(limit - events.length, pageSize);
    const page = await client.events.list({ tenant_id: tenantId, filters, order, limit: wanted, cursor });
    events.push(...page.events);
    const next = page.next_cursor ?? undefined;
    if (next === undefined) return { events, isCut: false };
    // A service that names the same page again would be asked without end.
    if (events.length >= limit || next === cursor) return { events, isCut: true };
    cursor = next;
  }
}

async function eventOf(client: Client, tenantId: string, id: string): Promise<EventView | undefined> {
  // A client chose it. Only an id can be asked for.
  if (!uuidPattern.test(id)) return undefined;
  try {
    return await client.events.get(id, { tenant_id: tenantId });
  } catch (error) {
    if (error instanceof ClientError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
