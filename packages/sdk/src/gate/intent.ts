/** What is about to happen, read once: the same copy is decided, recorded, shown to the approver and executed. */
import { uuidv7 } from '@tallystick/event';
import type { ApprovalDocument } from '@tallystick/protocol';
import { copyArguments } from './arguments.ts';
import { digestOf, type HiddenArguments, hideArguments, saltsFrom } from './document.ts';
import { GateError } from './errors.ts';
import type { GatedAction } from './options.ts';
import type { ActionHandling, Policy, PolicyRequest } from './policy.ts';
import type { GateSettings } from './settings.ts';

/** One run of a gate. */
export interface Intent {
  /** `audit_id` of its event `agent.action.intended`. */
  readonly intentId: string;
  readonly action: GatedAction<unknown>;
  readonly request: PolicyRequest;
  readonly hidden: HiddenArguments;
  /** What is decided, shown to the approver and executed. */
  readonly document: ApprovalDocument;
  readonly documentDigest: string;
  /** Milliseconds since the epoch: when the end of the effect must have been reported. */
  readonly deadline: number;
}

type IntentSettings = Pick<
  GateSettings,
  'actor' | 'policy' | 'tenantId' | 'ledger' | 'hidingKey' | 'redactor' | 'clock' | 'effectTimeoutMs'
>;

/**
 * Reads an action.
 *
 * @throws {GateError} `CONFIG_INVALID`, `ARGUMENTS_INVALID`
 */
export function intentOf(given: GatedAction<unknown>, settings: IntentSettings): Intent {
  const { policy, ledger, hidingKey, redactor, clock, effectTimeoutMs } = settings;
  if (given.idempotencyKey !== undefined && ledger === undefined)
    throw new GateError('CONFIG_INVALID', 'an action with an idempotency key needs a gate with a ledger');
  const request = requestOf(given, settings);
  const handling = handlingOf(policy, request);
  const action = handling.failOpen === true ? { ...given, failOpen: true } : given;
  const pointers = [...(action.hidden ?? []), ...(handling.hidden ?? [])];
  const salts = saltsFrom(hidingKey, request.tenantId, action.idempotencyKey);
  const hidden = hideArguments(request.arguments, pointers, redactor, salts);
  const document = documentOf(request, hidden, action.reason, policy);
  const now = clock.now();
  return {
    intentId: uuidv7(now),
    action,
    request,
    hidden,
    document,
    documentDigest: digestOf(document),
    deadline: now + effectTimeoutMs,
  };
}

function requestOf(
  action: GatedAction<unknown>,
  { actor, tenantId: defaultTenant }: Pick<GateSettings, 'actor' | 'tenantId'>,
): PolicyRequest {
  const tenantId = action.tenantId ?? defaultTenant;
  const actorType = action.actorType ?? actor?.actorType;
  const actorId = action.actorId ?? actor?.actorId;
  if (!tenantId || !actorType || !actorId)
    throw new GateError('CONFIG_INVALID', 'the action or the gate must name tenantId, actorType and actorId');
  if (typeof action.action !== 'string' || action.action === '' || action.action.length > 512)
    throw new GateError('CONFIG_INVALID', 'action must be a text of 1 to 512 characters');
  return Object.freeze({
    tenantId,
    action: action.action,
    actorType,
    actorId,
    onBehalfOf: Object.freeze((action.onBehalfOf ?? []).map((principal) => Object.freeze({ ...principal }))),
    target: action.target === undefined ? undefined : Object.freeze({ ...action.target }),
    arguments: copyArguments(action.arguments ?? {}),
  });
}

/** A policy that can't say what it hides could show a secret, so its error ends the action. */
function handlingOf(policy: Policy, request: PolicyRequest): ActionHandling {
  try {
    return policy.handling?.(request) ?? {};
  } catch (cause) {
    throw new GateError('CONFIG_INVALID', 'the policy failed to say how the action is handled', { cause });
  }
}

function documentOf(
  request: PolicyRequest,
  { shown, hidden }: HiddenArguments,
  reason: string | undefined,
  { name, version }: Policy,
): ApprovalDocument {
  const principal = ({ actorType, actorId }: Pick<PolicyRequest, 'actorType' | 'actorId'>) => ({
    actor_type: actorType,
    actor_id: actorId,
  });
  return {
    tenant_id: request.tenantId,
    action: request.action,
    actor: principal(request),
    ...(request.onBehalfOf.length > 0 && { on_behalf_of: request.onBehalfOf.map(principal) }),
    ...(request.target !== undefined && { target: request.target }),
    arguments: shown,
    ...(Object.keys(hidden).length > 0 && { hidden }),
    ...(reason !== undefined && { reason_unverified: reason }),
    policy: { name, version },
  };
}
