import { GateError } from '@tallystick/sdk/gate';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { ActionResult, PlannedAction, ResponsePlan, ResponseReport } from '../platform/investigation.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import type { Message } from '../platform/topics.ts';
import { afterwards, separateChanges, type Units } from '../platform/unit-of-work.ts';
import { ActionRunner, type ActionRunnerParts } from './action-runner.ts';
import { nextAction, withUnconfirmedRest } from './plan-progress.ts';
import { ResponseRecords, type Undoing } from './response-records.ts';

type Result = ResponseReport['results'][number];

/** A plan, and how far it is. A plan that is not settled goes on after a restart. */
export interface StoredPlan {
  readonly plan: ResponsePlan;
  readonly lineage: Lineage;
  readonly results: ResponseReport['results'];
  /** For each action that was prepared, the `audit_id` of the event that records it. */
  readonly prepared?: Readonly<Record<string, string>>;
  readonly settled: boolean;
}

export interface ResponseAgentParts
  extends ServiceParts,
    Pick<ActionRunnerParts, 'actuators' | 'controls' | 'desk'> {
  /** @defaultValue in memory */
  readonly plans?: Documents<StoredPlan> | undefined;
}

/**
 * Does what the platform decided. Small actions run at once; large ones go through a gate, wait for people, and run at most once.
 *
 * What a crash means: a plan is stored before its first action, and its results one by one. After a restart the plan goes on. An
 * automatic action may run a second time, which its system must tolerate; a gated one never does.
 */
export class ResponseAgent implements Service {
  readonly name = 'response-agent';
  readonly #parts: ResponseAgentParts;
  readonly #units: Units;
  readonly #plans: Documents<StoredPlan>;
  readonly #actions: ActionRunner;
  /** Plans that are being worked on. A plan that waits for people is not among them. */
  readonly #working = new Set<Promise<void>>();
  readonly #unsettled = new Set<string>();
  readonly #cancelRetries = new Set<() => void>();
  #unsubscribe: () => Promise<void> = async () => {};

  constructor(parts: ResponseAgentParts) {
    this.#parts = parts;
    this.#units = parts.units ?? separateChanges;
    this.#plans =
      parts.plans ??
      new MemoryDocuments({
        keep: parts.settings.memory.documentsPerTenant,
        mayDrop: ({ settled }) => settled,
      });
    const recorder = new Recorder(this.name, parts.ids, parts.audit);
    const records = new ResponseRecords(recorder, parts.ids, parts.settings.response);
    this.#actions = new ActionRunner({ ...parts, name: this.name, records });
  }

  async start(): Promise<void> {
    for (const { id } of this.#parts.tenants.all()) {
      for (const stored of await this.#plans.list(id)) if (!stored.settled) this.#work(stored);
    }
    this.#unsubscribe = await this.#parts.topics.subscribe('actions.pending', this.name, (message) =>
      this.#accept(message),
    );
  }

  /** Approvals that are asked for stay open. */
  async stop(): Promise<void> {
    await this.#unsubscribe();
    for (const cancel of this.#cancelRetries) cancel();
    this.#cancelRetries.clear();
    await this.idle();
  }

  /** Plans that were accepted and are not settled. */
  get openPlans(): number {
    return this.#unsettled.size;
  }

  /** Plans that are being worked on now. */
  get workingPlans(): number {
    return this.#working.size;
  }

  /** Resolves when every plan is settled or waits for people. */
  async idle(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }

  /**
   * Undoes what a plan did, for example because the alert was a false positive.
   *
   * @param person who decided it
   */
  async rollBack(tenantId: string, planId: string, person: string, reason: string): Promise<void> {
    const stored = await this.#plans.get(tenantId, planId);
    if (stored === undefined) throw new Error(`there is no plan ${planId}`);
    await this.#undo(stored, { reason, actor: { actorType: 'user', actorId: person } });
  }

  async #accept({ value: plan, lineage }: Message<ResponsePlan>): Promise<void> {
    const known = await this.#plans.get(plan.tenant_id, plan.plan_id);
    // The message was delivered twice.
    if (known !== undefined) return;
    const stored = { plan, lineage, results: [], settled: false };
    await this.#plans.put(plan.tenant_id, plan.plan_id, stored);
    afterwards(() => this.#work(stored));
  }

  /** Works on a plan beside the topic: people may take hours, and other plans must not wait for them. */
  #work(stored: StoredPlan): void {
    this.#unsettled.add(keyOf(stored.plan));
    let resolve: () => void = () => undefined;
    const working = new Promise<void>((done) => {
      resolve = () => {
        this.#working.delete(working);
        done();
      };
    });
    this.#working.add(working);
    this.#carryOut(stored, resolve)
      .catch((error: unknown) => this.#carryOnLater(stored, error))
      .finally(resolve);
  }

  /** A plan that could not be carried out now, such as without a database, is not lost. */
  #carryOnLater(last: StoredPlan, error: unknown): void {
    const { plan } = last;
    const cancel = this.#parts.clock.schedule(
      this.#parts.settings.response.retryMs,
      () => {
        this.#cancelRetries.delete(cancel);
        const again = this.#plans
          .get(plan.tenant_id, plan.plan_id)
          .then((stored) => {
            if (stored !== undefined && !stored.settled) this.#work(stored);
          })
          .catch((failure: unknown) => this.#carryOnLater(last, failure))
          .finally(() => this.#working.delete(again));
        this.#working.add(again);
      },
      false,
    );
    this.#cancelRetries.add(cancel);
    if (!(error instanceof GateError)) this.#parts.onError?.(error);
  }

  async #carryOut(
    { plan, lineage, results: known, prepared }: StoredPlan,
    waiting: () => void,
  ): Promise<void> {
    let stored: StoredPlan = { plan, lineage, results: known, ...(prepared && { prepared }), settled: false };
    const keep = async (changed: Partial<StoredPlan>) => {
      stored = { ...stored, ...changed };
      await this.#plans.put(plan.tenant_id, plan.plan_id, stored);
    };
    for (;;) {
      const action = nextAction(plan, stored.results);
      if (action === undefined) break;
      const settled = async (result: Result) => {
        // A person may have undone earlier actions while this one waited.
        const now = await this.#plans.get(plan.tenant_id, plan.plan_id);
        await keep({ results: [...(now?.results ?? stored.results), result] });
      };
      const parent = stored.prepared?.[action.action_id] ?? (await this.#prepare(stored, action, keep));
      await this.#actions.run(plan, action, after(lineage, parent), settled, waiting);
    }
    const failed = plan.actions.find(({ action_id }) => resultIn(stored.results, action_id) === 'failed');
    const results =
      failed === undefined
        ? withUnconfirmedRest(plan, stored.results)
        : await this.#undo(stored, { reason: `${failed.kind} failed` });
    await this.#units.run(async () => {
      await this.#parts.topics.publish('actions.settled', {
        key: plan.investigation_id,
        lineage,
        value: {
          plan_id: plan.plan_id,
          investigation_id: plan.investigation_id,
          tenant_id: plan.tenant_id,
          results,
        },
      });
      // Without a durable store, a crash before this line publishes the report again. The orchestrator notices.
      await keep({ results, settled: true });
    });
    this.#unsettled.delete(keyOf(plan));
  }

  #prepare(
    { plan, lineage, prepared }: StoredPlan,
    action: PlannedAction,
    keep: (changed: Partial<StoredPlan>) => Promise<void>,
  ): Promise<string> {
    return this.#units.run(async () => {
      const id = this.#actions.prepare(plan, action, lineage);
      await keep({ prepared: { ...prepared, [action.action_id]: id } });
      return id;
    });
  }

  /**
   * Undoes the executed actions of a plan, the last one first. Each result is stored at once: what was undone is not undone again.
   *
   * @returns the results of the plan after that
   */
  async #undo(stored: StoredPlan, undoing: Undoing): Promise<StoredPlan['results']> {
    const { plan, lineage } = stored;
    let { results } = stored;
    for (const action of plan.actions.toReversed()) {
      if (resultIn(results, action.action_id) !== 'executed') continue;
      results = results.map((one) =>
        one.action_id === action.action_id ? { ...one, result: 'rolled_back' as const } : one,
      );
      const changed = { ...stored, results };
      await this.#units.run(async () => {
        await this.#actions.undo(lineage, plan, action, undoing);
        await this.#plans.put(plan.tenant_id, plan.plan_id, changed);
      });
    }
    return results;
  }
}

function resultIn(results: StoredPlan['results'], actionId: string): ActionResult | undefined {
  return results.find(({ action_id }) => action_id === actionId)?.result;
}

/** Ids of plans may be the same in two tenants. */
function keyOf({ tenant_id, plan_id }: ResponsePlan): string {
  return JSON.stringify([tenant_id, plan_id]);
}
