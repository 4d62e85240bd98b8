/** Policies: what decides whether an action may run. */
import type { ActorType, Json } from '@tallystick/event';
import type { ApprovalRules } from '@tallystick/protocol';
import type { Clock } from '../clock.ts';
import type { AuditPrincipal } from '../event/input.ts';
import { endsWithin } from '../time-limit.ts';

/** What a policy decides about: a frozen copy. The effect runs with exactly these arguments. */
export interface PolicyRequest {
  readonly tenantId: string;
  readonly action: string;
  readonly actorType: ActorType;
  readonly actorId: string;
  readonly onBehalfOf: readonly AuditPrincipal[];
  readonly target: { readonly type: string; readonly id: string } | undefined;
  readonly arguments: Json;
}

/** A policy's answer. `rule` names what matched, for the record. */
export type PolicyDecision =
  | { readonly effect: 'allow' | 'deny'; readonly rule?: string; readonly reason?: string }
  | {
      /** The action needs an approval. */
      readonly effect: 'ask';
      readonly rule?: string;
      readonly reason?: string;
      /** How it is approved. The service's own minimum rules can only be tightened. */
      readonly approval?: Partial<ApprovalRules>;
    };

/** How an action is handled, whatever is decided about it. */
export interface ActionHandling {
  /** JSON pointers to arguments that neither the record nor the approver is shown. */
  readonly hidden?: readonly string[] | undefined;
  /** Whether an allowed action runs even if its intent could not be acknowledged. */
  readonly failOpen?: boolean | undefined;
}

/** Decides about actions. Records name it by name, version and digest. */
export interface Policy {
  readonly name: string;
  readonly version: string;
  /** `sha256:` and 64 hexadecimal digits: changes whenever the policy changes. */
  readonly digest: string;
  /** A policy that throws, hangs or answers anything else denies. */
  decide(request: PolicyRequest): PolicyDecision | Promise<PolicyDecision>;
  /** Which arguments are hidden, in addition to those that the action names, and whether the action fails open. */
  handling?(request: PolicyRequest): ActionHandling;
}

/** The answer of a policy, or a denial that says what went wrong. Never rejects. */
export async function decideWithin(
  policy: Policy,
  request: PolicyRequest,
  clock: Clock,
  timeoutMs: number,
): Promise<PolicyDecision> {
  let decision: PolicyDecision | undefined;
  try {
    const answer = policy.decide(request);
    if (isThenable(answer)) {
      const pending = Promise.resolve(answer).then((value) => {
        decision = value;
      });
      if (!(await endsWithin(clock, pending, timeoutMs))) {
        return { effect: 'deny', rule: 'policy_timed_out', reason: `no decision within ${timeoutMs} ms` };
      }
    } else decision = answer;
    return readDecision(decision);
  } catch {
    // The error may quote the arguments, so the record does not quote the error.
    return { effect: 'deny', rule: 'policy_failed', reason: 'the policy threw an error' };
  }
}

function isThenable(value: unknown): value is PromiseLike<PolicyDecision> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Only an answer that is exactly a decision counts: `{ effect: 'Allow' }` or `true` denies. */
function readDecision(answer: unknown): PolicyDecision {
  const { effect, rule, reason, approval } = (answer ?? {}) as {
    effect?: unknown;
    rule?: unknown;
    reason?: unknown;
    approval?: Partial<ApprovalRules>;
  };
  const texts = {
    ...(typeof rule === 'string' && { rule: rule.slice(0, 256).toWellFormed() }),
    ...(typeof reason === 'string' && { reason: reason.slice(0, 1_024).toWellFormed() }),
  };
  if (effect === 'allow' || effect === 'deny') return { effect, ...texts };
  if (effect === 'ask') return { effect, ...texts, ...(approval !== undefined && { approval }) };
  return { effect: 'deny', rule: 'policy_failed', reason: 'the policy gave no valid decision' };
}
