import type { EventView } from './events.ts';

/** An event, and the value by which it is ranked. */
export interface TopEvent {
  /** A number; the time as RFC 3339 where events are ranked by `timestamp`. */
  readonly value: number | string;
  readonly event: EventView;
}

/** The events of a tenant with the greatest values of a field. */
export interface TopEvents {
  readonly tenant_id: string;
  /** What the events are ranked by: `timestamp`, or the path of a number, such as `context.llm_cost_usd`. */
  readonly by: string;
  /** Events that match and have the value: so many were ranked. */
  readonly records: number;
  /** The greatest value first. Of events with the same value, the one that was chained last comes first. */
  readonly events: readonly TopEvent[];
  /** False where the request reached the end of its budget: `next_cursor` ranks the older events. */
  readonly complete: boolean;
  readonly next_cursor?: string;
  /** Records of the service's bookkeeping were not ranked. `include_reads`, or a filter by their type, ranks them. */
  readonly reads_left_out: boolean;
  /** Sensitive events were not ranked: the credential lacks the scope `events:read-sensitive`. */
  readonly sensitive_left_out: boolean;
}
