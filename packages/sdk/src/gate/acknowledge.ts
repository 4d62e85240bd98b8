import { AuditValidationError } from '@tallystick/event';
import { abandon } from './abandon.ts';
import { GateError } from './errors.ts';
import type { Intent } from './intent.ts';
import type { PolicyDecision } from './policy.ts';
import { decisionEvent, intentEvent } from './records.ts';
import { isEventRefused } from './refusal.ts';
import type { GateSettings } from './settings.ts';

/**
 * Records intent and decision in one batch. When this resolves, both are in the chain: a crash after it can hide neither.
 *
 * @throws {GateError} `NOT_ACKNOWLEDGED`, `CONFIG_INVALID`
 */
export async function recordIntent(
  intent: Intent,
  decision: PolicyDecision,
  { audit, policy, acknowledgeWithinMs }: Pick<GateSettings, 'audit' | 'policy' | 'acknowledgeWithinMs'>,
): Promise<void> {
  const options = { timeoutMs: acknowledgeWithinMs };
  const results = await Promise.allSettled([
    audit.record(intentEvent(intent), options),
    audit.record(decisionEvent(intent, policy, decision), options),
  ]);
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
  if (intent.action.failOpen === true && !isEventRefused(cause)) return;
  abandon(audit, intent, 'NOT_ACKNOWLEDGED', 'intent and decision were not chained in time', { cause });
}
