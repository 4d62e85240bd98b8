import type { TimelineSubject, TimelineView } from '@tallystick/protocol';
import type { CallOptions, Sender } from '../sender.ts';

/** Whose timeline: exactly one of `investigation_id`, `correlation_id`, `trace_id` and `run_id`. */
export interface TimelineQuery extends TimelineSubject {
  /** Needed where the API key is valid for several tenants. */
  readonly tenant_id?: string | undefined;
  /** Most records, 1 to 10000. @defaultValue 1000 */
  readonly limit?: number | undefined;
}

/** Records that belong together, as a tree of causes. */
export interface TimelinesResource {
  get(query: TimelineQuery, options?: CallOptions): Promise<TimelineView>;
}

export function timelinesResource(sender: Sender): TimelinesResource {
  return {
    get: async (query, { signal } = {}) =>
      await sender.json({ path: 'v1/audit/timeline', query: { ...query }, signal }),
  };
}
