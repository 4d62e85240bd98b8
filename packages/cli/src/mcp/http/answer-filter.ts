import type { StatedEnd } from '@tallystick/sdk/gate';
import type { RequestId } from '../client-message.ts';
import { keyOf } from '../open-requests.ts';
import type { Sender } from '../refused-messages.ts';
import type { ToolCalls } from '../tool-calls.ts';
import type { ClientSession } from './client-session.ts';
import type { ParameterHeaders } from './parameter-headers.ts';
import type { Resumptions } from './resumptions.ts';
import { onOneLine, readHeld, type ServerEvent } from './server-events.ts';

/** A request that the server has and has not answered. */
export interface Pending {
  readonly id: RequestId;
  readonly key: string;
  readonly method: unknown;
  /** Whether closing the answer cancels the request. */
  readonly withoutSessions: boolean;
  isAnswered: boolean;
}

export interface AnswerFilterParts {
  readonly calls: ToolCalls;
  readonly parameterHeaders: ParameterHeaders;
  readonly resumptions: Resumptions<Pending>;
  /** A message did not pass. */
  readonly refused: (sender: Sender, reason: string) => void;
}

/** Decides which messages of the server a client gets, and ends the requests that they answer. */
export class AnswerFilter {
  readonly #session: ClientSession;
  readonly #parts: AnswerFilterParts;

  constructor(session: ClientSession, parts: AnswerFilterParts) {
    this.#session = session;
    this.#parts = parts;
  }

  /**
   * Reads a message.
   *
   * @param pending the request in whose answer it came
   * @param isResumed whether it came in a stream that continues a broken one, which may be that of a request that has ended
   */
  passes(data: string, pending: Pending | undefined, isResumed: boolean): boolean {
    const { calls, parameterHeaders } = this.#parts;
    const message = readHeld(data, pending?.method === 'tools/list');
    if (message === undefined) return this.#drop('the message is not JSON');
    const [response, ...others] = message.responses;
    if (response !== undefined && others.length === 0 && isAnswerTo(response.id, pending)) {
      if (pending.method === 'tools/list') parameterHeaders.learn(response.result);
      this.end(pending, response.end, response.result);
    } else if (message.responses.some(({ id }) => !isResumed || calls.isOpen(this.#session.keyOf(id))))
      return this.#drop('the message answers another request than the one that was asked');
    if (message.toolsChanged) calls.toolsChanged(this.#session.scope);
    return true;
  }

  /** The event without its message, if that must not pass. */
  passing(event: ServerEvent, pending: Pending | undefined, isResumed: boolean): ServerEvent {
    const passes = event.data !== '' && this.passes(event.data, pending, isResumed);
    return { ...event, data: passes ? onOneLine(event.data) : '' };
  }

  /** The request has its answer, or gets none any more. */
  end(pending: Pending, end: StatedEnd, result?: unknown): void {
    pending.isAnswered = true;
    this.#parts.resumptions.ended(pending);
    this.#parts.calls.answered(pending.key, { end, result }, this.#session.scope);
  }

  #drop(reason: string): false {
    this.#parts.refused('server', reason);
    return false;
  }
}

function isAnswerTo(id: unknown, pending: Pending | undefined): pending is Pending {
  return pending?.isAnswered === false && keyOf(id) === keyOf(pending.id);
}
