/**
 * What really happened is seen by observers that know nothing of the emitter: stores, topics, models, the desk and the plant. The trail
 * must have exactly one record of each.
 */
import type { AuditEvent } from '@tallystick/sdk';
import { beforeAll, describe, expect, test } from 'vitest';
import type { StoredInvestigation } from '../src/orchestrator/investigation-states.ts';
import { MemoryDocuments } from '../src/platform/documents.ts';
import type { Message, Topic, Topics } from '../src/platform/topics.ts';
import { type Platform, playMorning, wholePlatform } from './whole-platform.ts';

/** Notes each state that an investigation is stored in. */
class WatchedInvestigations extends MemoryDocuments<StoredInvestigation> {
  readonly states: string[] = [];

  override async put(tenantId: string, id: string, stored: StoredInvestigation): Promise<void> {
    this.states.push(`${tenantId} ${id} ${stored.investigation.state}`);
    await super.put(tenantId, id, stored);
  }
}

const investigations = new WatchedInvestigations();
const modelCalls: string[] = [];
let platform: Platform;
let published: {
  [K in
    | 'alerts.normalized'
    | 'ctem.normalized'
    | 'atlas.detections'
    | 'actions.pending'
    | 'playbooks.draft'
    | 'investigations']: Message<Topics[K]>[];
};
let events: readonly AuditEvent[];

beforeAll(async () => {
  platform = wholePlatform({
    investigations,
    watchModel: (model) => ({
      ...model,
      async doGenerate(options) {
        try {
          const result = await model.doGenerate(options);
          modelCalls.push(`${model.provider} answered`);
          return result;
        } catch (error) {
          modelCalls.push(`${model.provider} ${(error as Error).message}`);
          throw error;
        }
      },
    }),
  });
  const collect = <K extends Topic>(topic: K) => platform.collect(topic);
  published = {
    'alerts.normalized': await collect('alerts.normalized'),
    'ctem.normalized': await collect('ctem.normalized'),
    'atlas.detections': await collect('atlas.detections'),
    'actions.pending': await collect('actions.pending'),
    'playbooks.draft': await collect('playbooks.draft'),
    investigations: await collect('investigations'),
  };
  await playMorning(platform);
  events = platform.trail.events;
});

const of = (...types: string[]) => events.filter(({ event_type }) => types.includes(event_type));
const contextOf = (event: AuditEvent) => event.context as Record<string, unknown>;
const isInvalid = (event: AuditEvent) =>
  (event.decision as { classification?: string })?.classification === 'invalid';

describe('there is exactly one record of', () => {
  test('each state of each investigation, in its order', () => {
    const recorded = of('investigation.state_changed').map(
      ({ tenant_id, investigation_id, outcome }) =>
        `${tenant_id} ${investigation_id} ${outcome!.state_after}`,
    );
    expect(recorded).toEqual(investigations.states);
    expect(recorded.length).toBeGreaterThan(400);
  });

  test('each model call, also of those that failed', () => {
    const recorded = of('routing.tier_selected').flatMap((event) =>
      (contextOf(event).provider_attempts as { provider: string; error?: string }[])
        .filter(({ error }) => error !== 'the circuit breaker is open')
        .map(({ provider, error }) => `${provider} ${error ?? 'answered'}`),
    );
    expect(recorded.toSorted()).toEqual(modelCalls.toSorted());
  });

  test('each prompt and answer that was stored', () => {
    const stored = platform.artifacts.artifacts.filter(({ type }) => type === 'user_content');
    expect(
      of('routing.tier_selected')
        .map(({ audit_id }) => audit_id)
        .toSorted(),
    ).toEqual(stored.map(({ auditId }) => auditId).toSorted());
  });

  test('each alert that was published, and each that was refused', () => {
    const recorded = of('alert.classified');
    const publishedIds = published['alerts.normalized'].map(({ lineage }) => lineage.alertId);
    const valid = recorded.filter(
      (event) => (event.decision as { classification: string }).classification === 'valid',
    );
    expect(valid.map(({ alert_id }) => alert_id).toSorted()).toEqual(publishedIds.toSorted());
    const refused = platform.topics.deadLetters.map(({ code }) => code);
    const invalid = events.filter(isInvalid).map(({ outcome }) => outcome!.error_code!);
    expect(invalid.toSorted()).toEqual(refused.toSorted());
  });

  test('each alert with signs of injection', () => {
    const marked = published['alerts.normalized'].filter(({ value }) => value.injection.length > 0);
    expect(of('injection.detected').map(({ alert_id }) => alert_id)).toEqual(
      marked.map(({ value }) => value.alert_id),
    );
  });

  test('each exposure, each remediation and each detection', () => {
    const exposures = published['ctem.normalized'].map(({ value }) => `${value.exposure_id} ${value.state}`);
    const recorded = of('ctem.exposure_scored', 'ctem.remediation_verified')
      .filter((event) => !isInvalid(event))
      .map(
        ({ event_type, target_id }) =>
          `${target_id} ${event_type.endsWith('scored') ? 'open' : 'remediated'}`,
      );
    expect(recorded).toEqual(exposures);
    const assigned = new Set(of('ctem.remediation_assigned').map(({ target_id }) => target_id));
    expect(assigned).toEqual(new Set(published['ctem.normalized'].map(({ value }) => value.exposure_id)));
    const detections = published['atlas.detections'].map(({ value }) => value.detection_id);
    const fired = of('atlas.detection_fired').filter((event) => !isInvalid(event));
    expect(fired.map((event) => contextOf(event).detection_id)).toEqual(detections);
  });

  test('each plan, each draft of a playbook, and each closed investigation', () => {
    const plans = published['actions.pending'].map(({ value }) => value.plan_id);
    expect(of('playbook.selected').map((event) => contextOf(event).plan_id)).toEqual(plans);
    expect(of('playbook.generated').map(({ target_id }) => target_id)).toEqual(
      published['playbooks.draft'].map(({ value }) => value.playbook_id),
    );
    const closed = published.investigations.filter(({ value }) => value.state === 'closed');
    expect(of('response.generated').map(({ target_id }) => target_id)).toEqual(
      closed.map(({ value }) => value.investigation_id),
    );
    const byPlatform = closed.filter(
      ({ value }) => value.closed_by === 'pattern' || value.closed_by === 'analysis',
    );
    expect(of('alert.auto_closed').map(({ target_id }) => target_id)).toEqual(
      byPlatform.map(({ value }) => value.alert_id),
    );
    const byPattern = closed.filter(({ value }) => value.closed_by === 'pattern');
    expect(of('alert.short_circuited').map(({ target_id }) => target_id)).toEqual(
      byPattern.map(({ value }) => value.alert_id),
    );
    const human = published.investigations.filter(({ value }) => value.state === 'awaiting_human');
    expect(of('alert.escalated').map(({ target_id }) => target_id)).toEqual(
      human.map(({ value }) => value.alert_id),
    );
  });

  test('each change of the plant, and each that failed or was undone', () => {
    const { changes } = platform.plant;
    const executed = of('response.executed').filter(({ outcome }) => outcome!.outcome_status === 'success');
    expect(executed.map((event) => contextOf(event).action_id)).toEqual(
      changes.filter(({ change }) => change === 'done').map(({ actionId }) => actionId),
    );
    expect(of('response.rolled_back').map((event) => contextOf(event).action_id)).toEqual(
      changes.filter(({ change }) => change === 'undone').map(({ actionId }) => actionId),
    );
    const prepared = of('response.prepared').map((event) => contextOf(event).action_id);
    expect(new Set(prepared).size).toBe(prepared.length);
    for (const { actionId } of changes) expect(prepared).toContain(actionId);
  });

  test('each approval: its intent, and how it ended', () => {
    const approvals = platform.desk.list();
    const asked = of('agent.action.decided').filter(
      ({ decision }) => (decision as { effect: string }).effect === 'ask',
    );
    expect(asked.map(({ parent_id }) => parent_id).toSorted()).toEqual(
      approvals.map(({ intent_id }) => intent_id).toSorted(),
    );
    const endOf = {
      claimed: 'agent.action.completed',
      denied: 'agent.action.abandoned',
      timed_out: 'agent.action.abandoned',
    };
    for (const { intent_id, state } of approvals) {
      const ends = of('agent.action.completed', 'agent.action.abandoned').filter(
        ({ parent_id }) => parent_id === intent_id,
      );
      expect(ends.map(({ event_type }) => event_type)).toEqual(
        state === 'pending' ? [] : [endOf[state as keyof typeof endOf]],
      );
    }
  });
});

test('parents come before their children, in the same tenant, trace and correlation', () => {
  const known = new Map<string, AuditEvent>();
  let withParent = 0;
  for (const event of events) {
    known.set(event.audit_id, event);
    if (event.parent_id === undefined) continue;
    withParent += 1;
    const parent = known.get(event.parent_id);
    expect([event.event_type, parent?.tenant_id]).toEqual([event.event_type, event.tenant_id]);
    expect(parent!.correlation_id).toBe(event.correlation_id);
    if (event.trace_id !== undefined && parent!.trace_id !== undefined)
      expect(parent!.trace_id).toBe(event.trace_id);
  }
  expect(withParent / events.length).toBeGreaterThan(0.8);
});

test('no tenant has a record of another', () => {
  expect(new Set(events.map(({ tenant_id }) => tenant_id))).toEqual(
    new Set(['acme', 'globex', 'shady', 'soc-platform']),
  );
  for (const event of events) {
    const alert = published['alerts.normalized'].find(({ value }) => value.alert_id === event.alert_id);
    if (alert !== undefined) expect(event.tenant_id).toBe(alert.value.tenant_id);
  }
});
