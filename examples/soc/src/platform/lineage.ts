/**
 * Where a message or an event comes from. It travels with every message, so that the events of one alert have one trace and one
 * correlation id, and each event names the event that led to it.
 */
export interface Lineage {
  readonly tenantId: string;
  /** Common to everything that one alert, finding or job led to. */
  readonly correlationId: string;
  /** W3C trace id. */
  readonly traceId: string;
  /** The span of the step that is running. */
  readonly spanId?: string | undefined;
  /** `audit_id` of the event that led here. */
  readonly parentEventId?: string | undefined;
  readonly alertId?: string | undefined;
  readonly investigationId?: string | undefined;
}

/** The lineage of what the event `parentEventId` leads to. */
export function after(lineage: Lineage, parentEventId: string): Lineage {
  return { ...lineage, parentEventId };
}
