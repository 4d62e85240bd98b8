import type { AnyEmitter, Gate } from '@tallystick/sdk/gate';
import { createGate, GateError, type GateOptions } from '@tallystick/sdk/gate';
import type { Actuators } from '../actuators/actuators.ts';
import type { Controls } from '../platform/controls.ts';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { ActionResult, PlannedAction, ResponsePlan, ResponseReport } from '../platform/investigation.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import type { Message } from '../platform/topics.ts';
import { responsePolicy } from './response-policy.ts';
import { ResponseRecords } from './response-records.ts';
import { silentEmitter } from './silent-emitter.ts';

/** A plan, and how far it is. A plan that is not settled goes on after a restart. */
export interface StoredPlan {
  readonly plan: ResponsePlan;
  readonly lineage: Lineage;
  readonly results: ResponseReport['results'];
  readonly settled: boolean;
}

export interface ResponseAgentParts extends ServiceParts {
  readonly actuators: Actuators;
  readonly controls: Controls;
  /** Where approvals are requested, and what makes an action run at most once. */
  readonly desk: NonNullable<GateOptions['desk']> & NonNullable<GateOptions['ledger']>;
  /** @defaultValue in memory */
  readonly plans?: Documents<StoredPlan>;
}

type Result = ResponseReport['results'][number];

/**
 * Does what the platform decided. Small actions run at once; large ones go through a gate, wait for people, and run at most once.
 *
 * What a crash means: a plan is stored before its first action, and its results one by one. After a restart the plan goes on. An
 * automatic action may run a second time, which its system must tolerate; a gated one never does.
 */
export class ResponseAgent implements Service {
  readonly name = 'response-agent';
  readonly #parts: ResponseAgentParts;
  readonly #plans: Documents<StoredPlan>;
  readonly #records: ResponseRecords;
  readonly #gate: Gate;
  /** Plans that are being worked on. A plan that waits for people is not among them. */
  readonly #working = new Set<Promise<void>>();
  readonly #unsettled = new Set<string>();
  readonly #cancelRetries = new Set<() => void>();
  #unsubscribe: () => Promise<void> = async () => {};

  constructor(parts: ResponseAgentParts) {
    this.#parts = parts;
    this.#plans = parts.plans ?? new MemoryDocuments();
    this.#records = new ResponseRecords(
      new Recorder(this.name, parts.ids, parts.audit),
      parts.settings.response,
    );
    this.#gate = createGate({
      audit: (parts.audit as AnyEmitter | undefined) ?? silentEmitter(),
      policy: responsePolicy(parts.settings),
      desk: parts.desk,
      ledger: parts.desk,
      actor: { actorType: 'agent', actorId: this.name },
      effectTimeoutMs: parts.settings.response.effectTimeoutMs,
      acknowledgeWithinMs: parts.settings.response.acknowledgeWithinMs,
      clock: parts.clock,
    });
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
    await this.#undo(stored, reason, { actorType: 'user', actorId: person });
  }

  async #accept({ value: plan, lineage }: Message<ResponsePlan>): Promise<void> {
    const known = await this.#plans.get(plan.tenant_id, plan.plan_id);
    // The message was delivered twice.
    if (known !== undefined) return;
    const stored = { plan, lineage, results: [], settled: false };
    await this.#plans.put(plan.tenant_id, plan.plan_id, stored);
    this.#work(stored);
  }

  /** Works on a plan beside the topic: people may take hours, and other plans must not wait for them. */
  #work(stored: StoredPlan): void {
    this.#unsettled.add(stored.plan.plan_id);
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
  #carryOnLater({ plan }: StoredPlan, error: unknown): void {
    const cancel = this.#parts.clock.schedule(
      this.#parts.settings.response.retryMs,
      () => {
        this.#cancelRetries.delete(cancel);
        const again = this.#plans.get(plan.tenant_id, plan.plan_id).then((stored) => {
          if (stored !== undefined && !stored.settled) this.#work(stored);
        });
        this.#working.add(again);
        again.catch(() => undefined).finally(() => this.#working.delete(again));
      },
      false,
    );
    this.#cancelRetries.add(cancel);
    if (!(error instanceof GateError)) this.#parts.onError?.(error);
  }

  async #carryOut({ plan, lineage, results: known }: StoredPlan, waiting: () => void): Promise<void> {
    const results: Result[] = [...known];
    for (const action of plan.actions) {
      if (results.some(({ action_id }) => action_id === action.action_id)) continue;
      const result = await this.#do(plan, action, lineage, waiting);
      results.push(result);
      await this.#plans.put(plan.tenant_id, plan.plan_id, { plan, lineage, results, settled: false });
      if (action.kind === 'confirm_verdict' && result.result !== 'executed' && result.result !== 'shadowed') {
        // The rest of the plan rests on a verdict that no human confirmed.
        const rest = plan.actions.filter(
          ({ action_id }) => !results.some((one) => one.action_id === action_id),
        );
        const detail = 'the verdict was not confirmed';
        results.push(...rest.map(({ action_id }) => ({ action_id, result: result.result, detail })));
        break;
      }
      if (result.result === 'failed') {
        const undone = await this.#undo({ plan, lineage, results, settled: false }, `${action.kind} failed`);
        results.splice(0, results.length, ...undone);
        break;
      }
    }
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
    await this.#plans.put(plan.tenant_id, plan.plan_id, { plan, lineage, results, settled: true });
    this.#unsettled.delete(plan.plan_id);
  }

  async #do(
    plan: ResponsePlan,
    action: PlannedAction,
    lineage: Lineage,
    waiting: () => void,
  ): Promise<Result> {
    const { controls, settings } = this.#parts;
    const prepared = this.#records.prepared(lineage, plan, action);
    const lineageOfAction = after(lineage, prepared);
    if (plan.shadow) {
      this.#records.shadowed(lineageOfAction, plan, action);
      return { action_id: action.action_id, result: 'shadowed' };
    }
    const isSmall = action.tier <= settings.response.automaticUpToTier;
    const isAutomatic = isSmall && (await controls.admitAutomatic(lineageOfAction, action));
    return isAutomatic
      ? this.#runAutomatic(lineageOfAction, plan, action)
      : this.#runGated(lineageOfAction, plan, action, waiting);
  }

  async #runAutomatic(lineage: Lineage, plan: ResponsePlan, action: PlannedAction): Promise<Result> {
    try {
      await this.#execute(lineage, plan, action);
      return { action_id: action.action_id, result: 'executed' };
    } catch (error) {
      return { action_id: action.action_id, result: 'failed', detail: messageOf(error) };
    }
  }

  async #runGated(
    lineage: Lineage,
    plan: ResponsePlan,
    action: PlannedAction,
    waiting: () => void,
  ): Promise<Result> {
    const { tenant_id, investigation_id, severity } = plan;
    const { action_id, kind, tier, target, reason } = action;
    try {
      await this.#gate.run(
        {
          action: kind,
          arguments: { target, tier, severity, reason },
          tenantId: tenant_id,
          target,
          idempotencyKey: action_id,
          correlationId: lineage.correlationId,
          investigationId: investigation_id,
          ...(lineage.parentEventId !== undefined && { parentEventId: lineage.parentEventId }),
          onPending: waiting,
        },
        (_args, { intentId }) => this.#execute(after(lineage, intentId), plan, action),
      );
      return { action_id, result: 'executed' };
    } catch (error) {
      if (!(error instanceof GateError)) return { action_id, result: 'failed', detail: messageOf(error) };
      const result = resultOf(error);
      // Without an acknowledged intent or a desk nothing happened. The action waits, and the plan is carried on later.
      if (result === undefined) throw error;
      return { action_id, result, detail: error.code };
    }
  }

  async #execute(lineage: Lineage, plan: ResponsePlan, action: PlannedAction): Promise<void> {
    const { clock, actuators } = this.#parts;
    const startedAt = clock.now();
    try {
      const { reference } = await actuators.execute(plan.tenant_id, action);
      this.#records.executed(lineage, plan, action, {
        outcome_status: 'success',
        action_taken: action.kind,
        action_target: `${action.target.type}:${action.target.id}`,
        duration_ms: clock.now() - startedAt,
        reference,
      });
    } catch (error) {
      this.#records.executed(lineage, plan, action, {
        outcome_status: 'failure',
        action_taken: action.kind,
        action_target: `${action.target.type}:${action.target.id}`,
        duration_ms: clock.now() - startedAt,
        error_code: 'ACTUATOR_FAILED',
        error_message: messageOf(error),
      });
      throw error;
    }
  }

  /** Undoes the executed actions of a plan, the last one first. @returns the results of the plan after that */
  async #undo(
    { plan, lineage, results }: StoredPlan,
    reason: string,
    actor?: { readonly actorType: 'user'; readonly actorId: string },
  ): Promise<Result[]> {
    const undone = new Set<string>();
    for (const action of plan.actions.toReversed()) {
      const executed = results.find(({ action_id }) => action_id === action.action_id);
      if (executed?.result !== 'executed') continue;
      const { reference } = await this.#parts.actuators.undo(plan.tenant_id, action);
      undone.add(action.action_id);
      this.#records.rolledBack(lineage, plan, action, { reason, reference, actor });
    }
    const remaining: Result[] = results.map((result) =>
      undone.has(result.action_id) ? { ...result, result: 'rolled_back' as ActionResult } : result,
    );
    const settled = (await this.#plans.get(plan.tenant_id, plan.plan_id))?.settled ?? false;
    await this.#plans.put(plan.tenant_id, plan.plan_id, { plan, lineage, results: remaining, settled });
    return remaining;
  }
}

/** How an action ended that the gate did not run; `undefined` if it is still to be done. */
function resultOf({ code, outcome }: GateError): ActionResult | undefined {
  switch (code) {
    case 'NOT_ACKNOWLEDGED':
    case 'DESK_UNAVAILABLE':
    case 'ABORTED':
      return undefined;
    case 'APPROVAL_TIMED_OUT':
    case 'APPROVAL_EXPIRED':
      return 'timed_out';
    case 'ALREADY_RUN':
      // The process died between the action and its result. Without an outcome it is unknown whether the action was done.
      if (outcome === undefined) return 'unknown';
      return outcome.status === 'success' ? 'executed' : 'failed';
    case 'EFFECT_TIMED_OUT':
      return 'unknown';
    default:
      return 'denied';
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
