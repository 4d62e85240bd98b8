import { createMemoryDesk } from '@tallystick/sdk/gate';
import { until } from '@tallystick/testing';
import { SimulatedPlant } from '../../src/actuators/simulated-plant.ts';
import type { Controls } from '../../src/platform/controls.ts';
import { MemoryDocuments } from '../../src/platform/documents.ts';
import {
  type ActionKind,
  actionTiers,
  type PlannedAction,
  type ResponsePlan,
} from '../../src/platform/investigation.ts';
import { ResponseAgent, type StoredPlan } from '../../src/response-agent/response-agent.ts';
import { minimumApprovalRules } from '../../src/response-agent/response-policy.ts';
import { openControls } from '../controls.ts';
import { newLineage, type TestParts, testParts } from '../platform-parts.ts';

export const lineage = {
  ...newLineage(),
  alertId: 'alert-1',
  investigationId: 'inv-1',
  parentEventId: undefined,
};

/** A plan for acme with an action of each kind. */
export function plan(kinds: readonly ActionKind[], change: Partial<ResponsePlan> = {}): ResponsePlan {
  const actions: PlannedAction[] = kinds.map((kind, at) => ({
    action_id: `action-${at}`,
    kind,
    target: { type: 'host', id: `h${at}` },
    tier: actionTiers[kind],
    reason: 'it was attacked',
  }));
  return {
    plan_id: 'plan-1',
    investigation_id: 'inv-1',
    tenant_id: 'acme',
    alert_id: 'alert-1',
    severity: 'high',
    playbook_id: 'pb-1',
    shadow: false,
    actions,
    ...change,
  };
}

interface Options {
  readonly audit?: boolean;
  readonly controls?: Partial<Controls>;
  readonly parts?: TestParts;
  readonly plans?: MemoryDocuments<StoredPlan>;
  /** Plans that another process left. */
  readonly stored?: readonly StoredPlan[];
  readonly plant?: SimulatedPlant;
}

/** An agent with a desk and a plant of its own. */
export async function start({
  audit = true,
  controls = {},
  parts = testParts({ audit }),
  plans = new MemoryDocuments(),
  stored = [],
  plant = new SimulatedPlant(),
}: Options = {}) {
  for (const one of stored) await plans.put(one.plan.tenant_id, one.plan.plan_id, one);
  const desk = createMemoryDesk({
    requester: 'response-agent',
    clock: parts.clock,
    minimumRules: () => minimumApprovalRules(parts.settings),
  });
  const settled = await parts.collect('actions.settled');
  const agent = new ResponseAgent({
    ...parts,
    desk,
    actuators: plant,
    controls: openControls(controls),
    plans,
  });
  await agent.start();
  const quiet = async () => {
    await parts.topics.settled();
    await agent.idle();
    await parts.topics.settled();
  };
  const send = async (value: ResponsePlan) => {
    await parts.topics.publish('actions.pending', { key: 'k', lineage, value });
    await parts.topics.settled();
  };
  return {
    ...parts,
    agent,
    desk,
    plant,
    plans,
    results: () => settled.map(({ value }) => value.results.map(({ result }) => result)),
    quiet,
    /** Sends a plan, and does not wait until the agent has done what it can. */
    send,
    run: async (value: ResponsePlan) => {
      await send(value);
      await quiet();
    },
    /** Decides the pending approval. */
    decide: async (verdict: 'grant' | 'deny', subject: string) => {
      const [approval] = desk.list().filter(({ state }) => state === 'pending');
      await desk.decide('acme', approval!.id, { verdict, subject });
    },
    /** Waits until a plan is settled: people decide beside the topics. */
    settledPlans: () => until(() => settled.length > 0, { what: 'a settled plan' }),
    types: () => parts.trail.events.map(({ event_type }) => event_type),
  };
}
