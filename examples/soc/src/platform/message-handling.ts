import { setTimeout as pause } from 'node:timers/promises';
import { type Handler, type Message, RejectedMessage, Unavailable } from './topics.ts';

/** How often a handler that fails is called before its message becomes a dead letter. */
const attempts = 3;

/** Code of a message whose handler failed at each attempt. Its reason is the text of an error, which may repeat text of the message. */
export const handlerFailed = 'HANDLER_FAILED';

/** An error may repeat a whole message in its text. A dead letter with such a reason would be too large for its topic. */
const maxReasonLength = 2_000;

/** Why a message became a dead letter. */
export interface Refusal {
  readonly code: string;
  readonly reason: string;
  /** `audit_id` of the event that records it, if the handler recorded it. */
  readonly recordedAs?: string | undefined;
}

export interface Backoff {
  /** The pause after the first failure, in milliseconds. It doubles with each further one. @defaultValue 0, no pause */
  readonly firstMs: number;
  /** @defaultValue 0 */
  readonly maxMs: number;
}

/**
 * Calls a handler until it succeeds or refuses the message. A message that is invalid is refused at once; one that fails is tried three
 * times; while something that the handler needs is away, it is tried without end.
 *
 * @param signal ends the attempts: the message stays unhandled
 * @returns why the message is a dead letter; `undefined` if it was handled
 * @throws the signal's reason
 */
export async function handleMessage<T>(
  handler: Handler<T>,
  message: Message<T>,
  { firstMs, maxMs }: Backoff,
  signal?: AbortSignal,
): Promise<Refusal | undefined> {
  for (let failures = 0, calls = 0; ; calls++) {
    try {
      await handler(message);
      return undefined;
    } catch (error) {
      if (error instanceof RejectedMessage) return refusalOf(error);
      if (!(error instanceof Unavailable)) failures += 1;
      if (failures >= attempts) return refusalOf(error);
    }
    await pause(Math.min(maxMs, firstMs * 2 ** Math.min(calls, 16)), undefined, { signal });
  }
}

/** Why a message with this error is a dead letter. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof RejectedMessage) {
    return { code: error.code, reason: shortened(error.message), recordedAs: error.recordedAs };
  }
  return { code: handlerFailed, reason: shortened(error instanceof Error ? error.message : String(error)) };
}

function shortened(reason: string): string {
  return reason.length <= maxReasonLength
    ? reason
    : `${reason.slice(0, maxReasonLength - 1)}…`.toWellFormed();
}
