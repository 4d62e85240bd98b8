import { AuditValidationError } from '@tallystick/event';
import type { AuditReceipt } from '../emitter/result.ts';
import { abandon } from './abandon.ts';
import { GateError } from './errors.ts';
import type { Intent } from './intent.ts';
import type { Acknowledgement } from './options.ts';
import type { PolicyDecision } from './policy.ts';
import { decisionEvent, intentEvent } from './records.ts';
import { isEventRefused } from './refusal.ts';
import type { GateSettings } from './settings.ts';

/**
 * Records intent and decision in one batch, and waits until they are acknowledged as far as the gate's options require. A crash after
 * that can hide neither.
 *
 * @throws {GateError} `NOT_ACKNOWLEDGED`, `CONFIG_INVALID`
 */
export async function recordIntent(
  intent: Intent,
  decision: PolicyDecision,
  settings: Pick<GateSettings, 'audit' | 'policy' | 'acknowledgeWithinMs' | 'acknowledgement'>,
): Promise<Acknowledgement> {
  const { audit, policy, acknowledgeWithinMs } = settings;
  // The desk looks the intent up in the chain.
  const required = decision.effect === 'ask' ? 'chained' : (settings.acknowledgement ?? 'chained');
  const options = { timeoutMs: acknowledgeWithinMs, chained: required === 'chained' };
  const results = await Promise.allSettled([
    audit.record(intentEvent(intent), options),
    audit.record(decisionEvent(intent, policy, decision), options),
  ]);
  const { acknowledged, cause } = weakest(results);
  if (acknowledged === 'chained' || acknowledged === required) return acknowledged;
  if (cause instanceof AuditValidationError)
    throw new GateError('CONFIG_INVALID', `the emitter refuses the gate's events: ${cause.message}`, {
      cause,
    });
  // A denial needs no acknowledgement. An action that fails open runs without it, unless its intent can never be in the trail.
  if (decision.effect === 'deny') return acknowledged;
  if (intent.action.failOpen === true && !isEventRefused(cause)) return acknowledged;
  const message =
    acknowledged === 'none'
      ? 'intent and decision were not acknowledged in time'
      : 'intent and decision are in a queue and not chained, and the gate or the approval desk needs them chained';
  return abandon(audit, intent, 'NOT_ACKNOWLEDGED', message, { cause });
}

/** What is known of all events, and the error of the first one that failed. */
function weakest(results: readonly PromiseSettledResult<AuditReceipt>[]): {
  readonly acknowledged: Acknowledgement;
  readonly cause: unknown;
} {
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) return { acknowledged: 'none', cause: failed.reason };
  const isChained = results.every(
    (result) => result.status === 'fulfilled' && result.value.state === 'chained',
  );
  return { acknowledged: isChained ? 'chained' : 'accepted', cause: undefined };
}
