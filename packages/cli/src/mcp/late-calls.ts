import type { StatedEnd } from '@tallystick/sdk/gate';
import { errorResponse } from './answer.ts';
import type { CallPort } from './call-port.ts';
import { type RequestId, rpcErrors } from './client-message.ts';

/** A call that the server has. */
interface ForwardedCall {
  readonly id: RequestId;
  readonly port: CallPort;
  readonly end: (end: StatedEnd) => void;
}

/** So many wait for their late answers. They do not count as in flight. */
const maxLate = 1_000;

/** The calls that have taken too long. The server may still answer them. */
export class LateCalls {
  /** By key, the oldest first. Owned by this object. */
  readonly #calls = new Map<string, ForwardedCall>();

  add(key: string, call: ForwardedCall): void {
    const [oldest] = this.#calls;
    // Its arguments are in memory until it ends. Its id stays taken.
    if (oldest !== undefined && this.#calls.size >= maxLate)
      this.end(oldest[0], { status: 'failure', errorCode: 'NO_ANSWER' });
    this.#calls.set(key, call);
  }

  has(key: string): boolean {
    return this.#calls.has(key);
  }

  end(key: string, end: StatedEnd): void {
    this.#calls.get(key)?.end(end);
    this.#calls.delete(key);
  }

  serverEnded(): void {
    for (const call of this.#calls.values()) serverEnded(call);
    this.#calls.clear();
  }
}

/** The server has gone, and does not answer the call any more. */
export function serverEnded({ id, port, end }: ForwardedCall): void {
  port.send(errorResponse(id, rpcErrors.connectionClosed, 'the server ended before it answered'));
  end({ status: 'failure', errorCode: 'SERVER_ENDED' });
}
