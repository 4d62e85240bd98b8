/**
 * The gate: what an agent is about to do is recorded before it happens, decided by a policy, approved where the policy asks, and
 * followed to its end.
 *
 * What a crash means:
 * - before the intent is acknowledged: nothing has happened, and the trail may hold an intent without an end.
 * - after the acknowledgement, before the claim: the effect did not run.
 * - after the claim: whether the effect ran is unknown. It is never run again under this approval or this idempotency key.
 */

import { createHash } from 'node:crypto';
import { AuditValidationError, uuidv7, uuidv8FromDigest } from '@tallystick/event';
import type { Approval, ApprovalDocument } from '@tallystick/protocol';
import { type Clock, systemClock } from '../clock.ts';
import type { AuditEventInput } from '../event/input.ts';
import { WireRedactor } from '../redaction/wire-redactor.ts';
import { abortable } from '../time-limit.ts';
import { copyArguments } from './arguments.ts';
import { digestOf, hideArguments, saltsFrom } from './document.ts';
import { runEffect } from './effect.ts';
import { GateError, type GateErrorCode } from './errors.ts';
import { type Effect, type GatedAction, type GateOptions, gateDefaults } from './options.ts';
import { type ActionHandling, decideWithin, type PolicyDecision, type PolicyRequest } from './policy.ts';
import { abandonedEvent, decisionEvent, type Intent, intentEvent } from './records.ts';
import { type Admission, findAdmitted, type ReportedEnd, type ReportState, reportedEvent } from './report.ts';

type CompleteOptions = GateOptions & { readonly [name in keyof typeof gateDefaults]: number };

/** Runs actions after they were recorded, decided and, where the policy asks, approved. */
export class Gate {
  readonly #options: CompleteOptions;
  readonly #clock: Clock;
  readonly #redactor: WireRedactor | undefined;

  /** @throws {GateError} `CONFIG_INVALID` */
  constructor(options: GateOptions) {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    this.#options = { ...gateDefaults, ...given } as CompleteOptions;
    for (const name of Object.keys(gateDefaults) as (keyof typeof gateDefaults)[]) {
      if (!(this.#options[name] > 0))
        throw new GateError('CONFIG_INVALID', `${name} must be a positive number`);
    }
    if (options.hidingKey !== undefined && options.hidingKey.length < 32)
      throw new GateError('CONFIG_INVALID', 'hidingKey must have at least 32 bytes');
    this.#clock = options.clock ?? systemClock;
    this.#redactor = options.redaction === false ? undefined : new WireRedactor(options.redaction ?? {});
  }

  /**
   * Runs an action.
   *
   * @param effect does what the action is about. It is called at most once, with a copy of the arguments, and only after intent and
   *   decision are in the chain and a required approval was claimed
   * @returns what the effect returns
   * @throws {GateError} if the effect was not run; `EFFECT_TIMED_OUT` if it has not ended in time
   * @throws what the effect throws
   */
  async run<A, R>(action: GatedAction<A>, effect: Effect<A, R>): Promise<R> {
    const admitted = await this.#admit<R>(action);
    if ('result' in admitted) return admitted.result;
    const { intent, approvalId } = admitted;
    return runEffect(intent, approvalId, effect as Effect<unknown, R>, {
      audit: this.#options.audit,
      clock: this.#clock,
      timeoutMs: this.#options.effectTimeoutMs,
      finish: (outcome) => this.#finishOperation(intent, outcome),
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
    const { intent, approvalId } = admitted;
    const { intentId, documentDigest, request } = intent;
    return { intentId, approvalId, documentDigest, arguments: request.arguments };
  }

  /**
   * Records how an admitted action ended, in this process or another one. Resolves when the record is in the chain.
   *
   * @param action the action as it ran. Its digest is compared with that of the admitted action
   * @throws {GateError} `DESK_UNAVAILABLE`, `NOT_ACKNOWLEDGED`
   */
  async report(action: GatedAction<unknown>, end: ReportedEnd): Promise<ReportState> {
    requireKey(action);
    const found = await findAdmitted(this.#intentOf(action), this.#options.ledger!);
    const { intent, state } = found;
    if (state === 'reported_before') return state;
    const { audit, acknowledgeWithinMs } = this.#options;
    const { outcome, event } = reportedEvent(intent, end, this.#clock.now());
    try {
      await audit.record(event, { timeoutMs: acknowledgeWithinMs });
    } catch (cause) {
      throw new GateError('NOT_ACKNOWLEDGED', 'the end of the action was not chained in time', {
        intentId: intent.intentId,
        cause,
      });
    }
    // Without it the record could be written again, but never another outcome: the first one stays.
    if (state !== 'changed') await this.#options.ledger!.finish(this.#attemptOf(intent), outcome);
    return state;
  }

  async #admit<R>(action: GatedAction<unknown>): Promise<Admitted<R>> {
    const intent = this.#intentOf(action);
    const decision = await decideWithin(
      this.#options.policy,
      intent.request,
      this.#clock,
      this.#options.policyTimeoutMs,
    );
    await this.#recordIntent(intent, decision);
    if (decision.effect === 'deny') {
      const reason = decision.reason === undefined ? '' : `: ${decision.reason}`;
      throw new GateError('DENIED', `the policy denies ${action.action}${reason}`, {
        intentId: intent.intentId,
      });
    }
    if (intent.action.signal?.aborted === true)
      this.#abandon(intent, 'ABORTED', 'the caller gave up the action', {
        cause: intent.action.signal.reason,
      });
    const approved = decision.effect === 'ask' ? await this.#awaitApproval(intent, decision) : undefined;
    const known = await this.#beginOperation<R>(intent, approved?.id);
    if (known !== undefined) return known;
    if (approved !== undefined) await this.#claim(intent, approved.id);
    return { intent, approvalId: approved?.id };
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

  #intentOf(given: GatedAction<unknown>): Intent {
    const { actor, policy } = this.#options;
    let action = given;
    const tenantId = action.tenantId ?? this.#options.tenantId;
    const actorType = action.actorType ?? actor?.actorType;
    const actorId = action.actorId ?? actor?.actorId;
    if (!tenantId || !actorType || !actorId)
      throw new GateError(
        'CONFIG_INVALID',
        'the action or the gate must name tenantId, actorType and actorId',
      );
    if (typeof action.action !== 'string' || action.action === '' || action.action.length > 512)
      throw new GateError('CONFIG_INVALID', 'action must be a text of 1 to 512 characters');
    if (action.idempotencyKey !== undefined && this.#options.ledger === undefined)
      throw new GateError('CONFIG_INVALID', 'an action with an idempotency key needs a gate with a ledger');
    const request: PolicyRequest = Object.freeze({
      tenantId,
      action: action.action,
      actorType,
      actorId,
      onBehalfOf: Object.freeze(
        (action.onBehalfOf ?? []).map((principal) => Object.freeze({ ...principal })),
      ),
      target: action.target === undefined ? undefined : Object.freeze({ ...action.target }),
      arguments: copyArguments(action.arguments ?? {}),
    });
    const handling = handlingOf(policy, request);
    if (handling.failOpen === true) action = { ...action, failOpen: true };
    const pointers = [...(action.hidden ?? []), ...(handling.hidden ?? [])];
    const salts = saltsFrom(this.#options.hidingKey, tenantId, action.idempotencyKey);
    const hidden = hideArguments(request.arguments, pointers, this.#redactor, salts);
    const unsigned = { intentId: uuidv7(this.#clock.now()), action, request, hidden };
    return {
      ...unsigned,
      documentDigest: digestOf(this.#documentOf(unsigned)),
      deadline: this.#clock.now() + this.#options.effectTimeoutMs,
    };
  }

  /** What is decided, shown to the approver and executed. */
  #documentOf({ action, request, hidden }: Omit<Intent, 'documentDigest' | 'deadline'>): ApprovalDocument {
    const { policy } = this.#options;
    const principal = ({
      actorType,
      actorId,
    }: {
      actorType: PolicyRequest['actorType'];
      actorId: string;
    }) => ({
      actor_type: actorType,
      actor_id: actorId,
    });
    return {
      tenant_id: request.tenantId,
      action: request.action,
      actor: principal(request),
      ...(request.onBehalfOf.length > 0 && { on_behalf_of: request.onBehalfOf.map(principal) }),
      ...(request.target !== undefined && { target: request.target }),
      arguments: hidden.shown,
      ...(Object.keys(hidden.hidden).length > 0 && { hidden: hidden.hidden }),
      ...(action.reason !== undefined && { reason_unverified: action.reason }),
      policy: { name: policy.name, version: policy.version },
    };
  }

  /**
   * Intent and decision travel in one batch. When this resolves, both are in the chain: a crash after it can hide neither.
   *
   * @throws {GateError} `NOT_ACKNOWLEDGED`
   */
  async #recordIntent(intent: Intent, decision: PolicyDecision): Promise<void> {
    const { audit, policy, acknowledgeWithinMs } = this.#options;
    const options = { timeoutMs: acknowledgeWithinMs };
    const acknowledged = [
      audit.record(intentEvent(intent), options),
      audit.record(decisionEvent(intent, policy, decision), options),
    ];
    const results = await Promise.allSettled(acknowledged);
    const failed = results.find((result) => result.status === 'rejected' || result.value.state !== 'chained');
    if (failed === undefined) return;
    const cause: unknown =
      failed.status === 'rejected'
        ? failed.reason
        : new Error('a queue has the events, but they are not chained');
    if (cause instanceof AuditValidationError)
      throw new GateError('CONFIG_INVALID', `the emitter refuses the gate's events: ${cause.message}`, {
        cause,
      });
    // A denial needs no acknowledgement. An action that fails open runs without it, unless its intent can never be in the trail.
    if (decision.effect === 'deny') return;
    if (intent.action.failOpen === true && !isRefusal(cause)) return;
    this.#abandon(intent, 'NOT_ACKNOWLEDGED', 'intent and decision were not chained in time', { cause });
  }

  async #awaitApproval(
    intent: Intent,
    decision: Extract<PolicyDecision, { effect: 'ask' }>,
  ): Promise<Approval> {
    const { desk } = this.#options;
    const { intentId, action, request } = intent;
    if (desk === undefined)
      return this.#abandon(
        intent,
        'DESK_UNAVAILABLE',
        'the policy asks for an approval, but the gate has no desk',
      );
    const signal = action.signal ?? new AbortController().signal;
    let approval: Approval;
    try {
      approval = await desk.request({
        id: this.#approvalIdOf(intent),
        intent_id: intentId,
        document: this.#documentOf(intent),
        ...(decision.approval !== undefined && { rules: decision.approval }),
      });
    } catch (cause) {
      return this.#abandon(
        intent,
        refusalOr(cause, 'DESK_UNAVAILABLE'),
        'the approval desk did not take the request',
        { cause },
      );
    }
    const approvalId = approval.id;
    try {
      if (approval.state === 'pending') action.onPending?.(approval);
      if (approval.state === 'pending')
        approval = await abortable(desk.decided(request.tenantId, approvalId, signal), signal);
    } catch (cause) {
      if (signal.aborted) {
        // The caller has given up. If the withdrawal fails too, the request times out or its grant expires.
        desk.withdraw(request.tenantId, approvalId, 'the caller has given up').catch(() => undefined);
        return this.#abandon(intent, 'ABORTED', 'the caller gave up the action', { cause, approvalId });
      }
      return this.#abandon(intent, refusalOr(cause, 'DESK_UNAVAILABLE'), 'the approval desk did not answer', {
        cause,
        approvalId,
      });
    }
    if (approval.state === 'granted' || approval.state === 'claimed') return approval;
    const code = approvalErrors[approval.state];
    return this.#abandon(intent, code, `the approval of ${action.action} is ${approval.state}`, {
      approvalId,
    });
  }

  /** A retry with the same idempotency key meets the first request. */
  #approvalIdOf({ action, request }: Intent): string {
    if (action.idempotencyKey === undefined) return uuidv7(this.#clock.now());
    const name = JSON.stringify([
      'tallystick/approval',
      request.tenantId,
      request.action,
      action.idempotencyKey,
    ]);
    return uuidv8FromDigest(createHash('sha256').update(name).digest());
  }

  /** @returns the kept result of the first run; `undefined` if this run is the first */
  async #beginOperation<R>(
    intent: Intent,
    approvalId: string | undefined,
  ): Promise<{ result: R } | undefined> {
    const { ledger } = this.#options;
    const { idempotencyKey, keepResult } = intent.action;
    if (ledger === undefined || idempotencyKey === undefined) return undefined;
    const state = await ledger.begin(this.#attemptOf(intent)).catch((cause: unknown) => {
      const reused = codeOf(cause) === 'IDEMPOTENCY_KEY_REUSED';
      const message = reused
        ? 'the idempotency key belongs to another action'
        : 'the ledger of operations did not answer';
      return this.#abandon(intent, reused ? 'KEY_REUSED' : 'DESK_UNAVAILABLE', message, {
        cause,
        approvalId,
      });
    });
    if (state.status === 'begun') return undefined;
    const { outcome } = state;
    if (keepResult === true && outcome?.status === 'success' && 'result' in outcome) {
      this.#recordAbandonment(intent, 'ALREADY_RUN', approvalId);
      return { result: outcome.result as R };
    }
    const ended = outcome === undefined ? 'has not reported its end' : `ended as ${outcome.status}`;
    return this.#abandon(intent, 'ALREADY_RUN', `the operation has run before and ${ended}`, {
      outcome,
      approvalId,
    });
  }

  /** From here on the effect may have run. */
  async #claim(intent: Intent, approvalId: string): Promise<void> {
    const { intentId, request, documentDigest, hidden } = intent;
    try {
      await this.#options.desk!.claim({
        tenant_id: request.tenantId,
        approval_id: approvalId,
        attempt: intentId,
        document_digest: documentDigest,
        ...(Object.keys(hidden.openings).length > 0 && { openings: hidden.openings }),
      });
    } catch (cause) {
      this.#abandon(intent, refusalOr(cause, 'DESK_UNAVAILABLE'), 'the approval could not be claimed', {
        cause,
        approvalId,
      });
    }
  }

  #attemptOf({ intentId, action, request, documentDigest }: Intent) {
    return {
      tenant_id: request.tenantId,
      idempotency_key: action.idempotencyKey!,
      document_digest: documentDigest,
      intent_id: intentId,
    };
  }

  /** Nothing waits for it: the effect has run, and its record is on its way. */
  #finishOperation(
    intent: Intent,
    outcome: Parameters<NonNullable<GateOptions['ledger']>['finish']>[1],
  ): void {
    const { ledger, onError } = this.#options;
    if (ledger === undefined || intent.action.idempotencyKey === undefined) return;
    ledger.finish(this.#attemptOf(intent), outcome).catch((error: unknown) => onError?.(error));
  }

  /** Records that the effect does not run, and says so to the caller. */
  #abandon(
    intent: Intent,
    code: GateErrorCode,
    message: string,
    details: { cause?: unknown; approvalId?: string | undefined; outcome?: GateError['outcome'] } = {},
  ): never {
    this.#recordAbandonment(intent, code, details.approvalId);
    throw new GateError(code, message, { intentId: intent.intentId, ...details });
  }

  #recordAbandonment(intent: Intent, code: GateErrorCode, approvalId: string | undefined): void {
    this.#options.audit.emit(abandonedEvent(intent, code, approvalId) as AuditEventInput);
  }
}

/** What comes before an effect: the action may run, or the kept result of its first run. */
type Admitted<R> =
  | { readonly intent: Intent; readonly approvalId: string | undefined }
  | { readonly result: R };

function requireKey({ idempotencyKey }: GatedAction<unknown>): void {
  if (idempotencyKey === undefined)
    throw new GateError('CONFIG_INVALID', 'an action that is reported later needs an idempotency key');
}

/** A policy that can't say what it hides could show a secret, so its error ends the action. */
function handlingOf(policy: GateOptions['policy'], request: PolicyRequest): ActionHandling {
  try {
    return policy.handling?.(request) ?? {};
  } catch (cause) {
    throw new GateError('CONFIG_INVALID', 'the policy failed to say how the action is handled', { cause });
  }
}

const approvalErrors = {
  pending: 'DESK_UNAVAILABLE',
  denied: 'APPROVAL_DENIED',
  timed_out: 'APPROVAL_TIMED_OUT',
  withdrawn: 'APPROVAL_WITHDRAWN',
  expired: 'APPROVAL_EXPIRED',
} as const;

/** Whether the service or the SDK refused an event because of its content. */
function isRefusal(cause: unknown): boolean {
  const code = codeOf(cause);
  return (
    code === 'EVENT_REFUSED' ||
    code === 'REJECTED_BY_SERVICE' ||
    code === 'CONFLICT' ||
    code === 'BATCH_REFUSED'
  );
}

/** An error with a code is the desk's answer. An error without one is a fault on the way to it. */
function refusalOr(error: unknown, otherwise: GateErrorCode): GateErrorCode {
  return codeOf(error) === undefined ? otherwise : 'DESK_REFUSED';
}

/** The code of a refusal: of the problem that the service answered with, or of the error itself. */
function codeOf(error: unknown): string | undefined {
  const { code, problem } = (error ?? {}) as {
    code?: unknown;
    problem?: { code?: unknown; status?: unknown };
  };
  if (problem !== undefined)
    return Number(problem.status) < 500 && typeof problem.code === 'string' ? problem.code : undefined;
  const isFault =
    typeof code !== 'string' || /^(?:E[A-Z]+$|UND_|UNREACHABLE|SERVICE_FAILED|RESPONSE_INVALID)/.test(code);
  return isFault ? undefined : code;
}

/**
 * Creates a gate.
 *
 * @throws {GateError} `CONFIG_INVALID`
 */
export function createGate(options: GateOptions): Gate {
  return new Gate(options);
}
