import { uuidPattern } from '@tallystick/event';
import type { EventView } from '../api/events.ts';
import { type TimelineRecord, textIn, timelineRecord } from './timeline-record.ts';

/** The type of the record with which the run of an agent begins. Its `audit_id` names the run. */
const startOfRun = 'agent.run.started';

/** The `correlation_id` of a run's records; undefined if the trail has no such run. */
export async function correlationOfRun(
  runId: string,
  get: (auditId: string) => Promise<EventView | undefined>,
): Promise<string | undefined> {
  const started = uuidPattern.test(runId) ? await get(runId) : undefined;
  if (started === undefined || timelineRecord(started).type !== startOfRun) return undefined;
  return textIn(started, 'correlation_id');
}

/** The records of a run: its first one, and those that it caused, directly or not. Others may share its `correlation_id`. */
export function recordsOfRun(runId: string, records: readonly TimelineRecord[]): TimelineRecord[] {
  const effects = Map.groupBy(records, ({ cause }) => cause);
  const found = new Set([runId]);
  // The loop also visits records that are added to the set meanwhile. A set has each record once, so the loop ends even if forged causes form a cycle.
  for (const id of found) for (const effect of effects.get(id) ?? []) found.add(effect.id);
  return records.filter(({ id }) => found.has(id));
}
