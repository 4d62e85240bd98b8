import type { EventView } from '../api/events.ts';
import type { MissingMatter, RecordReference, RecordSample } from '../api/missing.ts';
import { actionOf, type Effect, isEnd } from './effects.ts';
import type { Timeline } from './read-timeline.ts';
import { numberIn, type TimelineRecord, targetOf, textIn, timelineRecord } from './timeline-record.ts';

/** What shows that records are missing, or may be. */
export function missingIn(timeline: Timeline, effects: readonly Effect[]): MissingMatter[] {
  const { records, isCut } = timeline;
  if (records.length === 0) return [];
  return [
    ...(isCut ? [{ kind: 'records_cut', count: records.length } as const] : []),
    ...openActions(records),
    ...contradictions(effects),
    ...unknownCauses(timeline),
    ...stateJumps(records),
    ...deliveries(timeline),
    ...unreadable(records),
  ];
}

function referenceTo({ id, sequence }: TimelineRecord): RecordReference {
  return { audit_id: id, sequence_number: sequence };
}

/** Most records that a matter names. */
const recordsNamed = 10;

function sampleOf(records: readonly TimelineRecord[]): RecordSample {
  return { count: records.length, records: records.slice(0, recordsNamed).map(referenceTo) };
}

function openActions(records: readonly TimelineRecord[]): MissingMatter[] {
  const byCause = Map.groupBy(records, ({ cause }) => cause);
  const led = (record: TimelineRecord) => byCause.get(record.id) ?? [];
  return records.flatMap((record): MissingMatter[] => {
    const target = targetOf(record.event);
    const matter = {
      action: actionOf(record) ?? record.type,
      ...(target !== undefined && { target }),
      record: referenceTo(record),
    };
    if (record.type === 'agent.action.intended') {
      const after = led(record);
      // The service says that the end did not come. That is no end of the action.
      if (after.some((each) => isEnd(each) && each.type !== 'agent.action.unresolved')) return [];
      return [{ kind: waitsForPeople(after) ? 'action_waiting' : 'action_open', ...matter }];
    }
    if (record.type !== 'response.prepared' || led(record).length > 0) return [];
    return [{ kind: 'preparation_open', ...matter }];
  });
}

const approvalEnds = new Set([
  'approval.denied',
  'approval.timed_out',
  'approval.withdrawn',
  'approval.expired',
  'approval.claimed',
]);

function waitsForPeople(after: readonly TimelineRecord[]): boolean {
  const types = after.map(({ type }) => type);
  return types.includes('approval.requested') && !types.some((type) => approvalEnds.has(type));
}

function contradictions(effects: readonly Effect[]): MissingMatter[] {
  return effects
    .filter(({ ends }) => ends.length > 1)
    .map(({ action, ends, records }) => ({ kind: 'ends_disagree', action, ends, ...sampleOf(records) }));
}

function unknownCauses({ records, outside, outsideIsCut }: Timeline): MissingMatter[] {
  const lost = records.flatMap((record): MissingMatter[] => {
    const { cause } = record;
    const isUnknown = cause !== undefined && outside.has(cause) && outside.get(cause) === undefined;
    return isUnknown ? [{ kind: 'cause_unknown', cause, record: referenceTo(record) }] : [];
  });
  return [...lost, ...(outsideIsCut ? [{ kind: 'causes_cut', count: outside.size } as const] : [])];
}

/**
 * Each change of state but the first must begin with a state in which another one ended. Their order does not matter: the clocks of
 * two services may differ.
 */
function stateJumps(records: readonly TimelineRecord[]): MissingMatter[] {
  const changes = records.filter(({ type }) => type === 'investigation.state_changed');
  const byTarget = Map.groupBy(changes, ({ event }) => targetOf(event) ?? '');
  return [...byTarget.values()].flatMap((ofTarget) => {
    const reached = ofTarget.map(({ event }) => textIn(event, 'outcome', 'state_after'));
    const unexplained = ofTarget.filter(({ event }) => {
      const at = reached.indexOf(textIn(event, 'outcome', 'state_before'));
      if (at >= 0) reached.splice(at, 1);
      return at < 0;
    });
    return unexplained.slice(1).map((record): MissingMatter => {
      const state = textIn(record.event, 'outcome', 'state_before');
      return {
        kind: 'state_unexplained',
        ...(state !== undefined && { state }),
        record: referenceTo(record),
      };
    });
  });
}

function deliveries({ records, deliveries: all, deliveriesAreCut }: Timeline): MissingMatter[] {
  const producers = new Set(records.map(({ event }) => textIn(event, 'ingest', 'producer_id')));
  const ids = new Set(records.flatMap(({ id, cause }) => [id, cause]));
  const since = records[0]!.event.ingested_at;
  const refused = all
    .filter((event) => textIn(event, 'event_type') === 'delivery.dead_lettered')
    .filter((event) => String(event.ingested_at) >= String(since))
    .reduce((sum, event) => sum + (numberIn(event, 'metadata', 'count') ?? 0), 0);
  return [
    ...all.flatMap((event) => deliveryMatter(event, producers, ids) ?? []),
    ...(refused > 0 ? [{ kind: 'events_refused', events: refused } as const] : []),
    ...(deliveriesAreCut ? [{ kind: 'deliveries_cut', count: all.length } as const] : []),
  ];
}

/** What a record says about the delivery of these producers, or of these events. */
function deliveryMatter(
  event: EventView,
  producers: ReadonlySet<string | undefined>,
  ids: ReadonlySet<string | undefined>,
): MissingMatter | undefined {
  const target = textIn(event, 'target_id');
  const record = referenceTo(timelineRecord(event));
  const type = textIn(event, 'event_type');
  if (target === undefined) return undefined;
  if (type === 'delivery.conflict')
    return ids.has(target) ? { kind: 'event_conflict', audit_id: target, record } : undefined;
  if (!producers.has(target)) return undefined;
  const service = textIn(event, 'metadata', 'service');
  const producer = { producer_id: target, ...(service !== undefined && { service }), record };
  if (type === 'delivery.gap')
    return { kind: 'producer_gap', events: numberIn(event, 'metadata', 'events') ?? 0, ...producer };
  return { kind: type === 'delivery.unclosed' ? 'producer_unclosed' : 'producer_contradiction', ...producer };
}

function unreadable(records: readonly TimelineRecord[]): MissingMatter[] {
  const kinds = [
    ['records_sensitive', records.filter(({ event }) => event.redacted === true)],
    ['records_damaged', records.filter(({ event }) => event.damaged === true)],
    ['records_claimed', records.filter(({ event }) => event.claimed === true)],
  ] as const;
  return kinds.flatMap(([kind, found]) => (found.length > 0 ? [{ kind, ...sampleOf(found) }] : []));
}
