import type { OperationOutcome } from '@tallystick/protocol';
import type { Clock } from '../clock.ts';
import { GateError } from './errors.ts';
import type { Intent } from './intent.ts';
import type { Acknowledgement, AnyEmitter, Effect, StatedEnd } from './options.ts';
import { completedEvent, type EffectEnd, resultDigest } from './records.ts';
import { nameOf, readStatedEnd } from './stated-end.ts';

/** An intent whose effect may run. */
export interface AdmittedIntent {
  readonly intent: Intent;
  readonly approvalId: string | undefined;
  readonly acknowledged: Acknowledgement;
}

export interface EffectParts {
  readonly audit: AnyEmitter;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Called once with how the effect ended. It must not throw. */
  readonly finish: (outcome: OperationOutcome) => void;
}

/** A result that is kept for retries has at most this many characters of JSON. */
const maxKeptCharacters = 64 * 1024;

/**
 * Calls the effect and records its end. The record is emitted when the effect has ended, and nothing waits for its delivery.
 *
 * An effect that takes too long is recorded as timed out. If it ends later, a further record says how.
 */
export async function runEffect<R>(
  { intent, approvalId, acknowledged }: AdmittedIntent,
  effect: Effect<unknown, R>,
  { audit, clock, timeoutMs, finish }: EffectParts,
): Promise<R> {
  const { action, intentId, request } = intent;
  const timeout = new AbortController();
  const signals = action.signal === undefined ? [timeout.signal] : [timeout.signal, action.signal];
  let costUsd: number | undefined;
  let stated: StatedEnd = {};
  let timedOut = false;
  const startedAt = performance.now();
  const record = (outcome: EffectEnd['outcome']) => {
    const durationMs = performance.now() - startedAt;
    const emit = (told: EffectEnd['outcome']) =>
      audit.emit(
        completedEvent(intent, {
          outcome: told,
          durationMs,
          acknowledged,
          approvalId,
          costUsd,
          late: timedOut,
        }),
      );
    try {
      if (emit(outcome).state !== 'refused') return;
    } catch {
      // What the effect stated is not what a record can have.
    }
    const { outcomeStatus, errorCode } = outcome;
    try {
      emit({ outcomeStatus, ...(errorCode !== undefined && { errorCode }), incomplete: true });
    } catch {
      // The effect has run. Without its end, the service reports the action as unresolved.
    }
  };

  const ended = (async () => {
    let result: R;
    try {
      // The effect may change its copy: the frozen arguments belong to the records.
      result = await effect(structuredClone(request.arguments), {
        intentId,
        acknowledged,
        signal: AbortSignal.any(signals),
        cost(usd) {
          if (Number.isFinite(usd) && usd >= 0) costUsd = usd;
        },
        ended(end) {
          stated = readStatedEnd(end);
        },
      });
    } catch (thrown) {
      const errorCode = stated.errorCode ?? nameOf(thrown);
      record({ ...stated.details, outcomeStatus: stated.status ?? 'failure', errorCode });
      finish({ ...outcomeOf('failure', clock), error_code: errorCode });
      throw thrown;
    }
    const { status = 'success', errorCode, details, resultDigest: digest = resultDigest(result) } = stated;
    record({
      ...details,
      outcomeStatus: status,
      ...(errorCode !== undefined && { errorCode }),
      ...(digest !== undefined && { result_digest: digest }),
    });
    finish({
      ...outcomeOf(status, clock, digest, action.keepResult === true ? result : undefined),
      ...(errorCode !== undefined && { error_code: errorCode }),
    });
    return result;
  })();

  return new Promise<R>((resolve, reject) => {
    const cancel = clock.schedule(
      timeoutMs,
      () => {
        record({ outcomeStatus: 'timed_out', errorCode: 'EFFECT_TIMED_OUT' });
        timedOut = true;
        const message = `${action.action} has not ended within ${timeoutMs} ms; whether it will is unknown`;
        const error = new GateError('EFFECT_TIMED_OUT', message, { intentId, approvalId });
        timeout.abort(error);
        reject(error);
      },
      true,
    );
    ended.then(resolve, reject).finally(cancel);
  });
}

function outcomeOf(
  status: OperationOutcome['status'],
  clock: Clock,
  digest?: string,
  kept?: unknown,
): OperationOutcome {
  const text = kept === undefined ? undefined : keptText(kept);
  return {
    status,
    ...(digest !== undefined && { result_digest: digest }),
    ...(text !== undefined && { result: JSON.parse(text) }),
    completed_at: new Date(clock.now()).toISOString(),
  };
}

function keptText(result: unknown): string | undefined {
  try {
    const text = JSON.stringify(result);
    return text === undefined || text.length > maxKeptCharacters ? undefined : text;
  } catch {
    return undefined;
  }
}
