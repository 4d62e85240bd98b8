import type { EventView } from '@tallystick/protocol';
import type { Investigation } from '../../src/platform/investigation.ts';
import type { Observation } from './observer-log.ts';

/** What really happened, from sources that know nothing of emitters. */
export interface Happened {
  readonly observed: readonly Observation[];
  /** As the orchestrator stored them. */
  readonly investigations: readonly Investigation[];
  /** Approvals that the desk has. */
  readonly approvals: number;
}

type Members = Readonly<Record<string, unknown>>;

/** Differences between what happened and what the trail says; empty if nothing is missing and nothing is doubled. */
export function differences(happened: Happened, events: readonly EventView[]): string[] {
  const of = (type: string) => events.filter(({ event_type }) => event_type === type);
  return [
    ...identities(events),
    ...alerts(happened, of('alert.classified')),
    ...models(happened, of('routing.tier_selected')),
    ...changes(happened, 'action', of('response.executed')),
    ...changes(happened, 'undo', of('response.rolled_back')),
    ...states(happened, of('investigation.state_changed')),
    ...reports(happened, of('response.generated')),
    ...paths('breaker of', 'closed', [...of('circuit_breaker.opened'), ...of('circuit_breaker.closed')]),
    ...paths('degradation', 'normal', [...of('degradation.entered'), ...of('degradation.exited')]),
    ...once('spending limit', [...of('spend.soft_limit'), ...of('spend.hard_limit')]),
    ...(of('approval.requested').length === happened.approvals
      ? []
      : [`${happened.approvals} approvals at the desk, ${of('approval.requested').length} in the trail`]),
  ];
}

function identities(events: readonly EventView[]): string[] {
  const ids = new Map<string, number>();
  for (const { audit_id } of events) add(ids, audit_id as string);
  return [
    ...[...ids].filter(([, count]) => count > 1).map(([id]) => `${id} is in the trail twice`),
    ...events
      .filter(({ event_type }) => event_type === 'delivery.conflict')
      .map(({ target_id }) => `two events claim the id ${target_id}`),
    ...events
      .filter(({ parent_id }) => typeof parent_id === 'string' && !ids.has(parent_id))
      .map(({ audit_id, event_type }) => `the parent of ${event_type} ${audit_id} is missing`),
  ];
}

function alerts({ observed }: Happened, records: readonly EventView[]): string[] {
  const fed = new Set(observed.flatMap((one) => (one.what === 'fed' ? [one.name] : [])));
  const valid = records.filter(({ decision }) => (decision as Members).classification === 'valid');
  const ids = new Set(valid.map(({ alert_id }) => alert_id));
  if (ids.size === fed.size && valid.length === fed.size) return [];
  return [`${fed.size} alerts were fed; ${valid.length} records name ${ids.size} alerts`];
}

function models({ observed }: Happened, records: readonly EventView[]): string[] {
  const called = new Map<string, number>();
  const answered = new Map<string, number>();
  for (const one of observed) {
    if (one.what === 'model called') add(called, one.prompt);
    if (one.what === 'model answered') add(answered, one.prompt);
  }
  const attempts = new Map<string, number>();
  const interrupted = new Map<string, number>();
  for (const { context } of records) {
    const { llm_user_content_hash: prompt, provider_attempts } = context as Members;
    if (provider_attempts === undefined) add(interrupted, prompt as string);
    else add(attempts, prompt as string, (provider_attempts as Members[]).filter(isCall).length);
  }
  // One request that was interrupted may have called both providers.
  return compared('calls of a model', called, answered, attempts, interrupted, 2);
}

/** A provider whose breaker is open is not called. */
function isCall({ error }: Members): boolean {
  return error !== 'the circuit breaker is open';
}

function changes({ observed }: Happened, kind: 'action' | 'undo', records: readonly EventView[]): string[] {
  const begun = new Map<string, number>();
  const done = new Map<string, number>();
  for (const one of observed) {
    if (!('actionId' in one)) continue;
    if (one.what === `${kind} begun`) add(begun, `${one.tenantId} ${one.actionId}`);
    if (one.what === `${kind} done`) add(done, `${one.tenantId} ${one.actionId}`);
  }
  const recorded = new Map<string, number>();
  const interrupted = new Map<string, number>();
  for (const { tenant_id, context, outcome } of records) {
    const isInterrupted = (outcome as Members).error_code === 'INTERRUPTED';
    add(isInterrupted ? interrupted : recorded, `${tenant_id} ${(context as Members).action_id}`);
  }
  return compared(`${kind}s`, begun, done, recorded, interrupted);
}

/**
 * An effect that began has a record of its end, or one that says that it was interrupted, which stands for at most `mostInterrupted`
 * effects. An effect whose end is recorded has ended: no record is one too many.
 */
function compared(
  what: string,
  begun: ReadonlyMap<string, number>,
  done: ReadonlyMap<string, number>,
  recorded: ReadonlyMap<string, number>,
  interrupted: ReadonlyMap<string, number>,
  mostInterrupted = 1,
): string[] {
  const count = (counts: ReadonlyMap<string, number>, key: string) => counts.get(key) ?? 0;
  return [...new Set([...begun.keys(), ...recorded.keys(), ...interrupted.keys()])].flatMap((key) => {
    const [began, ended] = [count(begun, key), count(done, key)];
    const [records, unknown] = [count(recorded, key), count(interrupted, key)];
    if (began <= records + mostInterrupted * unknown && records <= ended) return [];
    return [`${what} ${key}: ${began} began, ${ended} ended; ${records} recorded, ${unknown} interrupted`];
  });
}

/** The records of an investigation lead, one state after the other, to the state in which it is stored. */
function states({ investigations }: Happened, records: readonly EventView[]): string[] {
  return investigations.flatMap(({ tenant_id, investigation_id, state }) => {
    const own = records.filter(
      (one) => one.tenant_id === tenant_id && one.investigation_id === investigation_id,
    );
    const steps = own.map(({ outcome }) => outcome as { state_before: string; state_after: string });
    const path = ['none', ...steps.map(({ state_after }) => state_after)];
    const isJoined = steps.every(({ state_before }, at) => state_before === path[at]);
    if (isJoined && path.at(-1) === state) return [];
    const shown = steps.map(({ state_before, state_after }) => `${state_before} → ${state_after}`).join(', ');
    return [`${investigation_id} is ${state}; its records say ${shown}`];
  });
}

/**
 * The records of a state that all tenants share lead from one state to the next, whatever was killed in between. A breaker that is open
 * becomes half-open by itself.
 */
function paths(what: string, first: string, records: readonly EventView[]): string[] {
  const states = new Map<string, { state: string; path: string[] }>();
  const wrong = new Set<string>();
  for (const { event_type, target_id, outcome } of records.toSorted(inTime)) {
    const { state_before: before, state_after: after } = outcome as Record<string, string>;
    const name = (event_type as string).startsWith('circuit_breaker.') ? `${what} ${target_id}` : what;
    const known = states.get(name) ?? { state: first, path: [] };
    const isJoined = before === known.state || (before === 'half-open' && known.state === 'open');
    if (!isJoined) wrong.add(name);
    states.set(name, { state: after!, path: [...known.path, `${before} → ${after}`] });
  }
  return [...wrong].map((name) => `${name}: ${states.get(name)!.path.join(', ')}`);
}

/** A limit of a tenant and a month is recorded one time. */
function once(what: string, records: readonly EventView[]): string[] {
  const counts = new Map<string, number>();
  for (const { tenant_id, event_type, context } of records)
    add(counts, `${tenant_id} ${event_type} ${(context as Members).month}`);
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([name, count]) => `${what} ${name} is in the trail ${count} times`);
}

/** By time. Within a millisecond the ids decide, which a process makes in order. */
function inTime(a: EventView, b: EventView): number {
  const key = ({ timestamp, audit_id }: EventView) => `${timestamp} ${audit_id}`;
  return key(a) < key(b) ? -1 : 1;
}

/** Each closed investigation has one report. */
function reports({ investigations }: Happened, records: readonly EventView[]): string[] {
  const counts = new Map<string, number>();
  for (const { target_id } of records) add(counts, target_id as string);
  return investigations
    .filter(({ state }) => state === 'closed')
    .filter(({ investigation_id }) => counts.get(investigation_id) !== 1)
    .map(({ investigation_id }) => `${investigation_id} has ${counts.get(investigation_id) ?? 0} reports`);
}

function add(counts: Map<string, number>, key: string, count = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
