/** Effects that are reported by another process than the one that asked for them: the ledger joins the two by the key. */
import type { Json } from '@tallystick/event';
import type { OperationLedger, OperationOutcome } from '@tallystick/protocol';
import type { AuditEventInput } from '../event/input.ts';
import { GateError } from './errors.ts';
import type { Intent } from './intent.ts';
import { attemptOf } from './operation.ts';
import type { Acknowledgement } from './options.ts';
import { completedEvent, resultDigest } from './records.ts';
import { codeOf } from './refusal.ts';
import type { GateSettings } from './settings.ts';

/** An action that may run once. */
export interface Admission {
  readonly intentId: string;
  readonly approvalId: string | undefined;
  readonly acknowledged: Acknowledgement;
  readonly documentDigest: string;
  /** Exactly these were decided and approved. */
  readonly arguments: Json;
}

/** How an action ended, as its process reports it. */
export interface ReportedEnd {
  readonly status: 'success' | 'failure';
  readonly errorCode?: string | undefined;
  /** Its digest is recorded, if it is JSON of at most 1 Mi characters. */
  readonly result?: unknown;
  readonly durationMs?: number | undefined;
}

/**
 * - `recorded`: the admitted action ended.
 * - `reported_before`: its end is in the trail already.
 * - `not_admitted`: no process asked for it. It is recorded, and the service reports it as unexplained.
 * - `changed`: another action was admitted under this key: what ran is not what was decided. It is recorded as unexplained.
 */
export type ReportState = 'recorded' | 'reported_before' | 'not_admitted' | 'changed';

/**
 * Records how an admitted action ended. A crash before the ledger knows it can write the record again, but never another outcome: the
 * first one stays.
 *
 * @throws {GateError} `DESK_UNAVAILABLE`, `NOT_ACKNOWLEDGED`
 */
export async function reportEnd(
  reported: Intent,
  end: ReportedEnd,
  settings: Pick<GateSettings, 'audit' | 'ledger' | 'clock' | 'acknowledgeWithinMs'>,
): Promise<ReportState> {
  const { audit, clock, acknowledgeWithinMs } = settings;
  const ledger = settings.ledger!;
  const { intent, state } = await findAdmitted(reported, ledger);
  if (state === 'reported_before') return state;
  const { outcome, event } = endOf(intent, end, clock.now());
  const { intentId } = intent;
  try {
    await audit.record(event, { timeoutMs: acknowledgeWithinMs });
  } catch (cause) {
    const message = 'the end of the action was not acknowledged in time';
    throw new GateError('NOT_ACKNOWLEDGED', message, { intentId, cause });
  }
  if (state !== 'changed') await ledger.finish(attemptOf(intent), outcome);
  return state;
}

/** The admitted action with the same key. `intent` has its id, so that the end refers to the first process's intent. */
async function findAdmitted(
  intent: Intent,
  ledger: OperationLedger,
): Promise<{ readonly intent: Intent; readonly state: ReportState }> {
  try {
    const known = await ledger.begin(attemptOf(intent));
    if (known.status === 'begun') return { intent, state: 'not_admitted' };
    const admitted = { ...intent, intentId: known.intent_id };
    return { intent: admitted, state: known.outcome === undefined ? 'recorded' : 'reported_before' };
  } catch (cause) {
    if (codeOf(cause) === 'IDEMPOTENCY_KEY_REUSED') return { intent, state: 'changed' };
    throw new GateError('DESK_UNAVAILABLE', 'the ledger of operations did not answer', { cause });
  }
}

/** `agent.action.completed` for a reported end, and the outcome for the ledger. */
function endOf(
  intent: Intent,
  { status, errorCode, result, durationMs }: ReportedEnd,
  now: number,
): { readonly event: AuditEventInput; readonly outcome: OperationOutcome } {
  const digest = resultDigest(result);
  const event = completedEvent(intent, {
    outcome: {
      outcomeStatus: status,
      ...(errorCode !== undefined && { errorCode }),
      ...(digest !== undefined && { result_digest: digest }),
    },
    durationMs,
    acknowledged: undefined,
    approvalId: undefined,
    costUsd: undefined,
    late: false,
  });
  const outcome = {
    status,
    ...(errorCode !== undefined && { error_code: errorCode }),
    ...(digest !== undefined && { result_digest: digest }),
    completed_at: new Date(now).toISOString(),
  };
  return { event, outcome };
}
