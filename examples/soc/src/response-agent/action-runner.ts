import { type AnyEmitter, createGate, type Gate, GateError, type GateOptions } from '@tallystick/sdk/gate';
import type { Actuators } from '../actuators/actuators.ts';
import type { Controls } from '../platform/controls.ts';
import type { PlannedAction, ResponsePlan, ResponseReport } from '../platform/investigation.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import type { ServiceParts } from '../platform/service.ts';
import { separateChanges, type Units } from '../platform/unit-of-work.ts';
import { resultOf } from './gate-results.ts';
import { responsePolicy } from './response-policy.ts';
import type { ExecutedOutcome, ResponseRecords, Undoing } from './response-records.ts';
import { silentEmitter } from './silent-emitter.ts';
import { TimedOut, within } from './time-limit.ts';

type Result = ResponseReport['results'][number];

export interface ActionRunnerParts extends Pick<ServiceParts, 'audit' | 'settings' | 'clock' | 'units'> {
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
  readonly #units: Units;
  /** The gate, and the settings that its policy is made of. */
  #latest: { readonly gate: Gate; readonly settings: string } | undefined;

  constructor(parts: ActionRunnerParts) {
    this.#parts = parts;
    this.#units = parts.units ?? separateChanges;
  }

  /** People may change the settings at run time. The policy that the records name is the one that holds. */
  get #gate(): Gate {
    const { audit, settings, desk, name, clock } = this.#parts;
    const text = JSON.stringify(settings.response);
    if (this.#latest?.settings === text) return this.#latest.gate;
    const gate = createGate({
      audit: (audit as AnyEmitter | undefined) ?? silentEmitter(),
      policy: responsePolicy(settings),
      desk,
      ledger: desk,
      actor: { actorType: 'agent', actorId: name },
      effectTimeoutMs: settings.response.effectTimeoutMs,
      acknowledgeWithinMs: settings.response.acknowledgeWithinMs,
      clock,
    });
    this.#latest = { gate, settings: text };
    return gate;
  }

  /** Records that an action will be done. @returns the id of the event */
  prepare(plan: ResponsePlan, action: PlannedAction, lineage: Lineage): string {
    return this.#parts.records.prepared(lineage, plan, action);
  }

  /**
   * @param lineage of what the record of {@link prepare} leads to
   * @param settled stores the result, together with the record of what was done
   * @param waiting called when people are asked
   * @throws {GateError} if nothing was done and the action is still to be done
   */
  async run(
    plan: ResponsePlan,
    action: PlannedAction,
    lineage: Lineage,
    settled: (result: Result) => Promise<void>,
    waiting: () => void,
  ): Promise<void> {
    const { controls, settings, records } = this.#parts;
    if (plan.shadow) {
      return this.#units.run(async () => {
        records.shadowed(lineage, plan, action);
        await settled({ action_id: action.action_id, result: 'shadowed' });
      });
    }
    const isSmall = action.tier <= settings.response.automaticUpToTier;
    const isAutomatic = isSmall && (await controls.admitAutomatic(lineage, action));
    if (isAutomatic)
      return this.#units.run(async () => settled(await this.#runAutomatic(lineage, plan, action)));
    // People may take hours, so each step takes effect by itself.
    return settled(await this.#runGated(lineage, plan, action, waiting));
  }

  async undo(lineage: Lineage, plan: ResponsePlan, action: PlannedAction, undoing: Undoing): Promise<void> {
    const { actuators, clock, records, settings } = this.#parts;
    const undone = records.beginUndo(lineage, plan, action, undoing);
    const undo = actuators.undo(plan.tenant_id, action);
    const { reference } = await within(clock, settings.response.effectTimeoutMs, undo);
    undone(reference);
  }

  async #runAutomatic(lineage: Lineage, plan: ResponsePlan, action: PlannedAction): Promise<Result> {
    const { clock, records, settings } = this.#parts;
    const { effectTimeoutMs } = settings.response;
    const { action_id, kind, target } = action;
    const ended = records.begin(lineage, plan, action);
    const execution = this.#execute(plan, action, ended);
    try {
      await within(clock, effectTimeoutMs, execution);
      return { action_id, result: 'executed' };
    } catch (error) {
      if (!(error instanceof TimedOut)) return { action_id, result: 'failed', detail: messageOf(error) };
      // A late answer is recorded when it comes.
      execution.catch(() => undefined);
      ended({
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
    const { records } = this.#parts;
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
          traceId: lineage.traceId,
          spanId: lineage.spanId,
          alertId: lineage.alertId,
          investigationId: investigation_id,
          ...(lineage.parentEventId !== undefined && { parentEventId: lineage.parentEventId }),
          onPending: waiting,
        },
        (_args, { intentId }) =>
          this.#units.run(() =>
            this.#execute(plan, action, records.begin(after(lineage, intentId), plan, action)),
          ),
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

  async #execute(
    plan: ResponsePlan,
    action: PlannedAction,
    ended: (outcome: ExecutedOutcome) => void,
  ): Promise<void> {
    const { clock, actuators } = this.#parts;
    const startedAt = clock.now();
    try {
      const { reference } = await actuators.execute(plan.tenant_id, action);
      ended({
        outcome_status: 'success',
        action_taken: action.kind,
        action_target: `${action.target.type}:${action.target.id}`,
        duration_ms: clock.now() - startedAt,
        reference,
      });
    } catch (error) {
      ended({
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
