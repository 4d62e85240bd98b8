import type { EventView } from '../api/events.ts';
import { actionOf, type Effect, isEnd } from './effects.ts';
import type { Timeline } from './read-timeline.ts';
import { counted } from './texts.ts';
import { numberIn, type TimelineRecord, targetOf, textIn } from './timeline-record.ts';

/** What shows that records are missing, or may be. Each is a sentence for people. */
export function missingIn(timeline: Timeline, effects: readonly Effect[]): string[] {
  const { records, isCut } = timeline;
  if (records.length === 0) return [];
  return [
    ...(isCut
      ? [`there are more records than the ${records.length} that were read; a higher limit reads up to 10000`]
      : []),
    ...openActions(records),
    ...contradictions(effects),
    ...unknownCauses(timeline),
    ...stateJumps(records),
    ...deliveries(timeline),
    ...unreadable(records),
  ];
}

function openActions(records: readonly TimelineRecord[]): string[] {
  const byCause = Map.groupBy(records, ({ cause }) => cause);
  const led = (record: TimelineRecord) => byCause.get(record.id) ?? [];
  return records.flatMap((record) => {
    const what = `${withTarget(record)} (#${record.sequence})`;
    if (record.type === 'agent.action.intended') {
      const after = led(record);
      // The service says that the end did not come. That is no end of the action.
      if (after.some((each) => isEnd(each) && each.type !== 'agent.action.unresolved')) return [];
      if (waitsForPeople(after)) return [`${what} waits for an approval`];
      return [`${what} was declared, and no record says how it ended`];
    }
    if (record.type !== 'response.prepared' || led(record).length > 0) return [];
    return [`${what} was prepared, and no record says what became of it`];
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

function withTarget(record: TimelineRecord): string {
  const target = targetOf(record.event);
  return `${actionOf(record) ?? record.type}${target === undefined ? '' : ` ${target}`}`;
}

function contradictions(effects: readonly Effect[]): string[] {
  return effects
    .filter(({ ends }) => ends.length > 1)
    .map(
      ({ action, ends, records }) =>
        `the records ${numbersOf(records)} disagree on how ${action} ended: ${ends.join(', ')}`,
    );
}

function unknownCauses({ records, outside, outsideIsCut }: Timeline): string[] {
  const lost = records.filter(
    ({ cause }) => cause !== undefined && outside.has(cause) && !outside.get(cause),
  );
  return [
    ...lost.map(({ cause, sequence }) => `#${sequence} names a cause that is not in the trail: ${cause}`),
    ...(outsideIsCut ? [`only ${outside.size} causes outside of it were looked up`] : []),
  ];
}

/**
 * Each change of state but the first must begin with a state in which another one ended. Their order does not matter: the clocks of
 * two services may differ.
 */
function stateJumps(records: readonly TimelineRecord[]): string[] {
  const changes = records.filter(({ type }) => type === 'investigation.state_changed');
  const byTarget = Map.groupBy(changes, ({ event }) => targetOf(event) ?? '');
  return [...byTarget.values()].flatMap((ofTarget) => {
    const reached = ofTarget.map(({ event }) => textIn(event, 'outcome', 'state_after'));
    const unexplained = ofTarget.filter(({ event }) => {
      const at = reached.indexOf(textIn(event, 'outcome', 'state_before'));
      if (at >= 0) reached.splice(at, 1);
      return at < 0;
    });
    return unexplained
      .slice(1)
      .map(
        ({ event, sequence }) =>
          `no record says how the state became ${textIn(event, 'outcome', 'state_before') ?? 'what it was'} before #${sequence}`,
      );
  });
}

function deliveries({ records, deliveries: all, deliveriesAreCut }: Timeline): string[] {
  const producers = new Set(records.map(({ event }) => textIn(event, 'ingest', 'producer_id')));
  const ids = new Set(records.flatMap(({ id, cause }) => [id, cause]));
  const told = all.flatMap((event) => deliveryText(event, producers, ids) ?? []);
  const since = records[0]!.event.ingested_at;
  const refused = all
    .filter((event) => textIn(event, 'event_type') === 'delivery.dead_lettered')
    .filter((event) => String(event.ingested_at) >= String(since))
    .reduce((sum, event) => sum + (numberIn(event, 'metadata', 'count') ?? 0), 0);
  return [
    ...told,
    ...(refused > 0
      ? [
          `${counted(refused, 'event')} of this tenant ${refused === 1 ? 'was' : 'were'} refused since the first of these records, and may belong to them: see the dead letters (tally dlq list)`,
        ]
      : []),
    ...(deliveriesAreCut ? [`only the newest ${all.length} records about deliveries were read`] : []),
  ];
}

/** What a record says about the delivery of these producers, or of these events. */
function deliveryText(
  event: EventView,
  producers: ReadonlySet<string | undefined>,
  ids: ReadonlySet<string | undefined>,
): string | undefined {
  const target = textIn(event, 'target_id');
  const at = `#${numberIn(event, 'sequence_number') ?? '?'}`;
  const type = textIn(event, 'event_type');
  if (target === undefined) return undefined;
  if (type === 'delivery.conflict')
    return ids.has(target)
      ? `another event had the id ${target}, and was refused (${at} ${type})`
      : undefined;
  if (!producers.has(target)) return undefined;
  const service = textIn(event, 'metadata', 'service');
  const producer = `the producer ${service === undefined ? '' : `of ${service} `}that wrote records of it`;
  if (type === 'delivery.gap') {
    const lost = numberIn(event, 'metadata', 'events') ?? 0;
    return `${producer} lost ${counted(lost, 'event')}, which may belong to it (${at} ${type})`;
  }
  if (type === 'delivery.unclosed')
    return `${producer} ended without saying how many events it had, so its last ones may be missing (${at} ${type})`;
  return `${producer} contradicts itself about how many events it had (${at} ${type})`;
}

function unreadable(records: readonly TimelineRecord[]): string[] {
  const redacted = records.filter(({ event }) => event.redacted === true);
  const damaged = records.filter(({ event }) => event.damaged === true);
  const claimed = records.filter(({ event }) => event.claimed === true);
  return [
    ...(redacted.length > 0
      ? [
          `${counted(redacted.length, 'sensitive record')} can't be read with this key: ${numbersOf(redacted)}`,
        ]
      : []),
    ...(damaged.length > 0
      ? [`${counted(damaged.length, 'record')} can't be read: ${numbersOf(damaged)}; the trail was changed`]
      : []),
    ...(claimed.length > 0
      ? [
          `${numbersOf(claimed)}: written by a client, though only the service writes such records; do not rely on it`,
        ]
      : []),
  ];
}

/** Most numbers in one line. */
const numbersShown = 10;

/** The numbers of records, as `#3, #7`. */
export function numbersOf(records: readonly TimelineRecord[]): string {
  const shown = records.slice(0, numbersShown).map(({ sequence }) => `#${sequence}`);
  if (records.length > numbersShown) shown.push(`and ${records.length - numbersShown} more`);
  return shown.join(', ');
}
