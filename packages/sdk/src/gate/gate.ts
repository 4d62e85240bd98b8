/**
 * The gate: what an agent is about to do is recorded before it happens, decided by a policy, approved where the policy asks, and
 * followed to its end.
 *
 * What a crash means:
 * - before the intent is acknowledged: nothing has happened, and the trail may hold an intent without an end.
 * - after the acknowledgement, before the claim: the effect did not run.
 * - after the claim: whether the effect ran is unknown. It is never run again under this approval or this idempotency key.
 */

import { abandon } from './abandon.ts';
import { recordIntent } from './acknowledge.ts';
import { awaitApproval, claimApproval } from './approval.ts';
import { type AdmittedIntent, runEffect } from './effect.ts';
import { GateError } from './errors.ts';
import { intentOf } from './intent.ts';
import { beginOperation, finishOperation } from './operation.ts';
import type { Effect, GatedAction, GateOptions } from './options.ts';
import { decideWithin } from './policy.ts';
import { type Admission, type ReportedEnd, type ReportState, reportEnd } from './report.ts';
import { type GateSettings, readSettings } from './settings.ts';

/** Runs actions after they were recorded, decided and, where the policy asks, approved. */
export class Gate {
  readonly #settings: GateSettings;

  /** @throws {GateError} `CONFIG_INVALID` */
  constructor(options: GateOptions) {
    this.#settings = readSettings(options);
  }

  /**
   * Runs an action.
   *
   * @param effect does what the action is about. It is called at most once, with a copy of the arguments, and only after intent and
   *   decision are in the chain and a required approval was claimed; see {@link GateOptions.acknowledgement}
   * @returns what the effect returns
   * @throws {GateError} if the effect was not run; `EFFECT_TIMED_OUT` if it has not ended in time
   * @throws what the effect throws
   */
  async run<A, R>(action: GatedAction<A>, effect: Effect<A, R>): Promise<R> {
    const admitted = await this.#admit<R>(action);
    if ('result' in admitted) return admitted.result;
    const { intent } = admitted;
    const { audit, clock, effectTimeoutMs: timeoutMs } = this.#settings;
    return runEffect(admitted, effect as Effect<unknown, R>, {
      audit,
      clock,
      timeoutMs,
      finish: (outcome) => finishOperation(intent, outcome, this.#settings),
    });
  }

  /**
   * Everything up to the effect, for an effect that the caller can't run inside {@link run}: another process runs it, or reports
   * its end. When this resolves, the action may run once, with exactly the returned arguments.
   *
   * @param action must have an idempotency key, by which {@link report} finds it
   * @throws {GateError} if the effect must not run; `ALREADY_RUN` for a repeated key
   */
  async admit(action: GatedAction<unknown>): Promise<Admission> {
    requireKey(action);
    const admitted = await this.#admit({ ...action, keepResult: false });
    if ('result' in admitted) throw new Error('no result was kept');
    const { intent, approvalId, acknowledged } = admitted;
    const { intentId, documentDigest, request } = intent;
    return { intentId, approvalId, acknowledged, documentDigest, arguments: request.arguments };
  }

  /**
   * Records how an admitted action ended, in this process or another one. Resolves when the record is in the chain, or in a queue in front
   * of it that all in-sync replicas acknowledged.
   *
   * @param action the action as it ran. Its digest is compared with that of the admitted action
   * @throws {GateError} `DESK_UNAVAILABLE`, `NOT_ACKNOWLEDGED`
   */
  async report(action: GatedAction<unknown>, end: ReportedEnd): Promise<ReportState> {
    requireKey(action);
    return await reportEnd(intentOf(action, this.#settings), end, this.#settings);
  }

  /**
   * Puts a function behind the gate. The function is called as before, with the copy of its first argument; further arguments are
   * passed on.
   *
   * @param describe says which action a call is; the default takes the first argument as the action's arguments
   */
  wrap<A, Rest extends readonly unknown[], R>(
    name: string,
    tool: (args: A, ...rest: Rest) => R | Promise<R>,
    describe: (args: A, ...rest: Rest) => Omit<GatedAction<A>, 'action' | 'arguments'> = () => ({}),
  ): (args: A, ...rest: Rest) => Promise<R> {
    return async (args, ...rest) =>
      this.run({ ...describe(args, ...rest), action: name, arguments: args }, (copy) => tool(copy, ...rest));
  }

  /** Everything up to the effect, in its order. */
  async #admit<R>(given: GatedAction<unknown>): Promise<Admitted<R>> {
    const { audit, policy, clock, policyTimeoutMs } = this.#settings;
    const intent = intentOf(given, this.#settings);
    const { intentId, action } = intent;
    const decision = await decideWithin(policy, intent.request, clock, policyTimeoutMs);
    const acknowledged = await recordIntent(intent, decision, this.#settings);
    if (decision.effect === 'deny') {
      const reason = decision.reason === undefined ? '' : `: ${decision.reason}`;
      throw new GateError('DENIED', `the policy denies ${action.action}${reason}`, { intentId });
    }
    if (action.signal?.aborted === true) {
      const cause: unknown = action.signal.reason;
      return abandon(audit, intent, 'ABORTED', 'the caller gave up the action', { cause });
    }
    const approved =
      decision.effect === 'ask' ? await awaitApproval(intent, decision, this.#settings) : undefined;
    const known = await beginOperation<R>(intent, approved?.id, this.#settings);
    if (known !== undefined) return known;
    // From here on the effect may have run.
    if (approved !== undefined) await claimApproval(intent, approved.id, this.#settings);
    return { intent, approvalId: approved?.id, acknowledged };
  }
}

/** What comes before an effect: the action may run, or the kept result of its first run. */
type Admitted<R> = AdmittedIntent | { readonly result: R };

function requireKey({ idempotencyKey }: GatedAction<unknown>): void {
  if (idempotencyKey === undefined)
    throw new GateError('CONFIG_INVALID', 'an action that is reported later needs an idempotency key');
}

/**
 * Creates a gate.
 *
 * @throws {GateError} `CONFIG_INVALID`
 */
export function createGate(options: GateOptions): Gate {
  return new Gate(options);
}
