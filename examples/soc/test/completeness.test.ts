/**
 * What really happened is seen by observers that know nothing of records: on stores, topics, models, the approval desk and the plant. The
 * trail of an audit service, whose desk the platform uses, must have exactly one record of each.
 */
import { soc as socTaxonomy } from '@tallystick/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TrailEvent } from './service-trail.ts';
import { byTenant, tenants, type WatchedMorning, watchMorning } from './watched-morning.ts';

let morning: WatchedMorning;
let events: WatchedMorning['events'];
let published: WatchedMorning['published'];

beforeAll(async () => {
  morning = await watchMorning();
  ({ events, published } = morning);
}, 300_000);

afterAll(() => morning?.[Symbol.asyncDispose]());

const of = (...types: string[]) => events.filter(({ event_type }) => types.includes(event_type));
const contextOf = (event: TrailEvent) => event.context as Record<string, unknown>;
const isInvalid = (event: TrailEvent) =>
  (event.decision as { classification?: string })?.classification === 'invalid';

describe('there is exactly one record of', () => {
  test('each state of each investigation, in its order', () => {
    const recorded = of('investigation.state_changed').map(
      ({ investigation_id, outcome }) => `${investigation_id} ${outcome!.state_after}`,
    );
    const stored = byTenant(morning.investigations.states, ({ tenantId }) => tenantId);
    expect(recorded).toEqual(stored.map(({ state }) => state));
    expect(recorded.length).toBeGreaterThan(400);
  });

  test('each model call, also of those that failed', () => {
    const recorded = of('routing.tier_selected').flatMap((event) =>
      (contextOf(event).provider_attempts as { provider: string; error?: string }[])
        .filter(({ error }) => error !== 'the circuit breaker is open')
        .map(({ provider, error }) => `${provider} ${error ?? 'answered'}`),
    );
    expect(recorded.toSorted()).toEqual(morning.modelCalls.toSorted());
  });

  test('each prompt and answer that was stored', () => {
    const stored = morning.platform.artifacts.artifacts.filter(({ type }) => type === 'user_content');
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
    const refused = morning.platform.topics.deadLetters.map(({ code }) => code);
    const invalid = events.filter(isInvalid).map(({ outcome }) => outcome!.error_code!);
    expect(invalid.toSorted()).toEqual(refused.toSorted());
    // Alerts that arrived again are the others.
    expect(recorded).toHaveLength(published['alerts.raw'].length);
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
    const changes = byTenant(morning.platform.plant.changes, ({ tenantId }) => tenantId);
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

  test('each step of each approval, and the desk alone recorded it', async () => {
    const approvals = await morning.trail.approvals(tenants);
    const happened = [
      ...morning.trail.steps.map((one) =>
        [`approval.${one.step}`, one.approvalId, ...('person' in one ? [one.person] : [])].join(' '),
      ),
      ...approvals.flatMap(({ id, escalated }) => (escalated ? [`approval.escalated ${id}`] : [])),
      ...approvals.flatMap(({ id, state }) => (state === 'timed_out' ? [`approval.timed_out ${id}`] : [])),
    ];
    const records = events.filter(({ event_type }) => event_type.startsWith('approval.'));
    const isReminder = ({ event_type }: TrailEvent) => event_type === 'approval.reminded';
    const reminded = records.filter(isReminder).map(({ target_id }) => target_id!);
    expect(new Set(reminded).size).toBe(reminded.length);
    const steps = records.filter((one) => !isReminder(one));
    const recorded = steps.map(({ event_type, target_id, actor_type, actor_id }) => {
      const isDecision = event_type === 'approval.granted' || event_type === 'approval.denied';
      return [event_type, target_id, ...(isDecision && actor_type === 'user' ? [actor_id] : [])].join(' ');
    });
    expect(recorded.toSorted()).toEqual(happened.toSorted());
    for (const step of ['requested', 'granted', 'denied', 'claimed', 'escalated', 'timed_out']) {
      expect(happened.some((one) => one.startsWith(`approval.${step} `))).toBe(true);
    }
    expect(new Set(records.map(({ source_service }) => source_service))).toEqual(new Set(['tallystick']));
    expect([...morning.trail.sent.values()].filter((type) => type.startsWith('approval.'))).toEqual([]);
  });

  test('each intent, and how it ended', async () => {
    const approvals = await morning.trail.approvals(tenants);
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

  test('each event that a service sent, and nothing else but what the audit service writes itself', () => {
    const ids = events.map(({ audit_id }) => audit_id);
    expect(new Set(ids).size).toBe(ids.length);
    const others = events.filter(({ source_service }) => source_service !== 'tallystick');
    expect(others.map(({ audit_id }) => audit_id).toSorted()).toEqual(
      [...morning.trail.sent.keys()].toSorted(),
    );
    expect(morning.faults).toEqual([]);
  });
});

test('every event type of the platform is recorded of something that really happened', () => {
  const recorded = new Set(events.map(({ event_type }) => event_type));
  expect(socTaxonomy.types.filter((type) => !recorded.has(type))).toEqual([]);
});

describe('causes', () => {
  test('come before what they led to, in the same tenant, trace and correlation', () => {
    const known = new Map(events.map((event) => [event.audit_id, event]));
    const roots = new Set<string>();
    for (const event of events) {
      const { event_type, parent_id } = event;
      // The audit service's records about itself have no cause in the morning.platform.
      if (event.source_service === 'tallystick' && !event_type.startsWith('approval.')) continue;
      if (parent_id === undefined) {
        roots.add(event_type);
        continue;
      }
      const parent = known.get(parent_id);
      const ids = ({ tenant_id, correlation_id, trace_id }: TrailEvent) => ({
        ...{ tenant_id, correlation_id, trace_id },
      });
      expect({ event_type, ...(parent && ids(parent)) }).toEqual({ event_type, ...ids(event) });
      expect(parent!.timestamp <= event.timestamp).toBe(true);
      // Services deliver on their own. Within one of them, the chain has the order in which things happened.
      if (parent!.source_service === event.source_service)
        expect(parent!.sequence_number).toBeLessThan(event.sequence_number);
    }
    // What came from outside, and what people decided about the morning.platform.
    expect([...roots].toSorted()).toEqual([
      ...['alert.classified', 'atlas.detection_fired', 'canary.promoted', 'canary.rolled_back'],
      ...['config.changed', 'ctem.exposure_scored', 'ctem.remediation_verified', 'fp_pattern.approved'],
      ...['fp_pattern.revoked', 'kill_switch.activated', 'kill_switch.deactivated', 'knowledge.indexed'],
      'shadow.go_live_approved',
    ]);
  });

  test('of everything about an alert have its trace and its correlation', () => {
    const first = new Map<string, string>();
    const apart: string[] = [];
    for (const event of events) {
      const { tenant_id, alert_id, trace_id, correlation_id, event_type } = event;
      // An alert that arrives again has a trace of its own, and is refused.
      if (alert_id === undefined || event.outcome?.error_code === 'ALERT_REPEATED') continue;
      const alert = `${tenant_id} ${alert_id}`;
      const ids = `${trace_id} ${correlation_id}`;
      if (!first.has(alert)) first.set(alert, ids);
      else if (first.get(alert) !== ids) apart.push(`${event_type} of ${alert}: ${ids}`);
    }
    expect(first.size).toBeGreaterThan(90);
    expect(apart).toEqual([]);
  });

  test('of a gated action are in the chain before it: intent, request, grant, claim', async () => {
    const claimed = (await morning.trail.approvals(tenants)).filter(({ state }) => state === 'claimed');
    expect(claimed.length).toBeGreaterThan(10);
    for (const { id, intent_id } of claimed) {
      const [intent] = events.filter(({ audit_id }) => audit_id === intent_id);
      const steps = ['requested', 'granted', 'claimed'].map(
        (step) =>
          of(`approval.${step}`)
            .filter(({ target_id }) => target_id === id)
            .at(-1)!,
      );
      const [executed] = of('response.executed').filter(({ parent_id }) => parent_id === intent_id);
      const places = [intent!, ...steps, executed!].map(({ sequence_number }) => sequence_number);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    }
  });
});

test('no tenant has a record of another', () => {
  expect(new Set(events.map(({ tenant_id }) => tenant_id))).toEqual(new Set(tenants));
  for (const event of events) {
    const alert = published['alerts.normalized'].find(({ value }) => value.alert_id === event.alert_id);
    if (alert !== undefined) expect(event.tenant_id).toBe(alert.value.tenant_id);
  }
});
