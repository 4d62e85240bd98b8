import type { RequestId } from './client-message.ts';

/** A server that is to stay up for months must not be the end of this process's memory. */
const defaultMax = 100_000;

/**
 * The requests that the server has and has not answered, of every method. MCP forbids a client to use an id twice. A client that does
 * so would make an answer ambiguous: it could be the late answer to a request that was cancelled, or the answer to the new one. So an
 * id is taken until the server has answered it. A server need not answer a cancelled request; its id then stays taken.
 */
export class OpenRequests {
  readonly #max: number;
  /** Methods of the requests, by the keys of their ids. Owned by this object. */
  readonly #methods = new Map<string, string>();

  constructor(max = defaultMax) {
    this.#max = max;
  }

  /** Why a request with this id can't be sent; `undefined` if it can. */
  refusal(key: string): string | undefined {
    if (this.#methods.has(key)) return 'another request with this id has no answer yet';
    if (this.#methods.size >= this.#max) return `the server has not answered ${this.#max} requests`;
    return undefined;
  }

  /** Whether the server has a request with this id. */
  has(key: string): boolean {
    return this.#methods.has(key);
  }

  /** The server gets a request with this id. */
  sent(key: string, method: string): void {
    this.#methods.set(key, method);
  }

  /** The server has answered. @returns the method of the request, if it was open */
  answered(key: string): string | undefined {
    const method = this.#methods.get(key);
    this.#methods.delete(key);
    return method;
  }
}

/** The key of an id. `1` and `"1"` are two ids. */
export function keyOf(id: RequestId | null | unknown): string {
  return JSON.stringify(id) ?? '';
}
