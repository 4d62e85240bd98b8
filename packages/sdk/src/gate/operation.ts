/** Operations that have an idempotency key: the ledger lets each run once. */
import type { OperationAttempt, OperationOutcome } from '@tallystick/protocol';
import { resultWithin } from '../time-limit.ts';
import { abandon, recordAbandonment } from './abandon.ts';
import type { GateErrorCode } from './errors.ts';
import type { Intent } from './intent.ts';
import { codeOf, refusalOr } from './refusal.ts';
import type { GateSettings } from './settings.ts';

/** The attempt of an intent whose action has a key. */
export function attemptOf({ intentId, action, request, documentDigest }: Intent): OperationAttempt {
  return {
    tenant_id: request.tenantId,
    idempotency_key: action.idempotencyKey!,
    document_digest: documentDigest,
    intent_id: intentId,
  };
}

/**
 * Begins the operation. An action without a key is never a repetition. After this, no other attempt with the same key may run.
 *
 * @returns the kept result of the first run; `undefined` if this run is the first
 * @throws {GateError} `ALREADY_RUN`, `KEY_REUSED`, `DESK_REFUSED`, `DESK_UNAVAILABLE`
 */
export async function beginOperation<R>(
  intent: Intent,
  approvalId: string | undefined,
  { audit, ledger, clock, deskTimeoutMs }: Pick<GateSettings, 'audit' | 'ledger' | 'clock' | 'deskTimeoutMs'>,
): Promise<{ readonly result: R } | undefined> {
  const { idempotencyKey, keepResult } = intent.action;
  if (ledger === undefined || idempotencyKey === undefined) return undefined;
  const begin = async () => ledger.begin(attemptOf(intent));
  const state = await resultWithin(clock, begin(), deskTimeoutMs).catch((cause: unknown) => {
    const { code, message } = refusedBegin(cause);
    return abandon(audit, intent, code, message, { cause, approvalId });
  });
  if (state.status === 'begun') return undefined;
  const { outcome } = state;
  if (keepResult === true && outcome?.status === 'success' && 'result' in outcome) {
    recordAbandonment(audit, intent, 'ALREADY_RUN', approvalId);
    return { result: outcome.result as R };
  }
  const ended = outcome === undefined ? 'has not reported its end' : `ended as ${outcome.status}`;
  const message = `the operation has run before and ${ended}`;
  return abandon(audit, intent, 'ALREADY_RUN', message, { outcome, approvalId });
}

function refusedBegin(cause: unknown): { readonly code: GateErrorCode; readonly message: string } {
  if (codeOf(cause) === 'IDEMPOTENCY_KEY_REUSED')
    return { code: 'KEY_REUSED', message: 'the idempotency key belongs to another action' };
  const code = refusalOr(cause, 'DESK_UNAVAILABLE');
  const did = code === 'DESK_REFUSED' ? 'refused the operation' : 'did not answer';
  return { code, message: `the ledger of operations ${did}` };
}

/** Nothing waits for it: the effect has run, and its record is on its way. */
export function finishOperation(
  intent: Intent,
  outcome: OperationOutcome,
  { ledger, onError }: Pick<GateSettings, 'ledger' | 'onError'>,
): void {
  if (ledger === undefined || intent.action.idempotencyKey === undefined) return;
  const finish = async () => ledger.finish(attemptOf(intent), outcome);
  finish()
    .catch((error: unknown) => onError?.(error))
    // A fault of the application's handler must not end the process.
    .catch(() => undefined);
}
