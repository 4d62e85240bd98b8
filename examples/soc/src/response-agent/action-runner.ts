import { type AnyEmitter, createGate, type Gate, GateError, type GateOptions } from '@tallystick/sdk/gate';
import type { Actuators } from '../actuators/actuators.ts';
import type { Controls } from '../platform/controls.ts';
import type { PlannedAction, ResponsePlan, ResponseReport } from '../platform/investigation.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import type { ServiceParts } from '../platform/service.ts';
import { resultOf } from './gate-results.ts';
import { responsePolicy } from './response-policy.ts';
import type { ResponseRecords } from './response-records.ts';
import { silentEmitter } from './silent-emitter.ts';
import { TimedOut, within } from './time-limit.ts';

type Result = ResponseReport['results'][number];

/** A person who decided that actions are undone. */
export type RollBackActor = { readonly actorType: 'user'; readonly actorId: string };

export interface ActionRunnerParts extends Pick<ServiceParts, 'audit' | 'settings' | 'clock'> {
  /** The service that runs the actions. */
  readonly name: string;
  readonly actuators: Actuators;
  readonly controls: Controls;
  /** Where approvals are requested, and what makes an action run at most once. */
  readonly desk: NonNullable<GateOptions['desk']> & NonNullable<GateOptions['ledger']>;
  readonly records: ResponseRecords;
}

/** Runs one action of a plan: small ones at once, large ones through a gate, and none in shadow mode. It also undoes them. */
export class ActionRunner {
  readonly #parts: ActionRunnerParts;
  readonly #gate: Gate;

  constructor(parts: ActionRunnerParts) {
    const { audit, settings, desk, name, clock } = parts;
    this.#parts = parts;
    this.#gate = createGate({
      audit: (audit as AnyEmitter | undefined) ?? silentEmitter(),
      policy: responsePolicy(settings),
      desk,
      ledger: desk,
      actor: { actorType: 'agent', actorId: name },
      effectTimeoutMs: settings.response.effectTimeoutMs,
      acknowledgeWithinMs: settings.response.acknowledgeWithinMs,
      clock,
    });
  }

  /**
   * @param waiting called when people are asked
   * @throws {GateError} if nothing was done and the action is still to be done
   */
  async run(
    plan: ResponsePlan,
    action: PlannedAction,
    lineage: Lineage,
    waiting: () => void,
  ): Promise<Result> {
    const { controls, settings, records } = this.#parts;
    const prepared = records.prepared(lineage, plan, action);
    const lineageOfAction = after(lineage, prepared);
    if (plan.shadow) {
      records.shadowed(lineageOfAction, plan, action);
      return { action_id: action.action_id, result: 'shadowed' };
    }
    const isSmall = action.tier <= settings.response.automaticUpToTier;
    const isAutomatic = isSmall && (await controls.admitAutomatic(lineageOfAction, action));
    return isAutomatic
      ? this.#runAutomatic(lineageOfAction, plan, action)
      : this.#runGated(lineageOfAction, plan, action, waiting);
  }

  /** @param actor the person who decided it; the response agent itself by default */
  async undo(
    lineage: Lineage,
    plan: ResponsePlan,
    action: PlannedAction,
    reason: string,
    actor?: RollBackActor,
  ): Promise<void> {
    const { actuators, clock, records, settings } = this.#parts;
    const undone = actuators.undo(plan.tenant_id, action);
    const { reference } = await within(clock, settings.response.effectTimeoutMs, undone);
    records.rolledBack(lineage, plan, action, { reason, reference, actor });
  }

  async #runAutomatic(lineage: Lineage, plan: ResponsePlan, action: PlannedAction): Promise<Result> {
    const { clock, records, settings } = this.#parts;
    const { effectTimeoutMs } = settings.response;
    const { action_id, kind, target } = action;
    const execution = this.#execute(lineage, plan, action);
    try {
      await within(clock, effectTimeoutMs, execution);
      return { action_id, result: 'executed' };
    } catch (error) {
      if (!(error instanceof TimedOut)) return { action_id, result: 'failed', detail: messageOf(error) };
      // A late answer is recorded when it comes.
      execution.catch(() => undefined);
      records.executed(lineage, plan, action, {
        outcome_status: 'failure',
        action_taken: kind,
        action_target: `${target.type}:${target.id}`,
        duration_ms: effectTimeoutMs,
        error_code: 'ACTUATOR_TIMED_OUT',
        error_message: `${error.message}; it is unknown whether the action was done`,
      });
      return { action_id, result: 'unknown', detail: 'ACTUATOR_TIMED_OUT' };
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
    const { clock, actuators, records } = this.#parts;
    const startedAt = clock.now();
    try {
      const { reference } = await actuators.execute(plan.tenant_id, action);
      records.executed(lineage, plan, action, {
        outcome_status: 'success',
        action_taken: action.kind,
        action_target: `${action.target.type}:${action.target.id}`,
        duration_ms: clock.now() - startedAt,
        reference,
      });
    } catch (error) {
      records.executed(lineage, plan, action, {
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
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
