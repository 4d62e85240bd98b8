import type { RequestId } from '../client-message.ts';

/**
 * The keys of calls in flight. Clients choose the ids of their requests, and most begin with 1, so an id belongs to a session. A server
 * without sessions tells its clients apart by their connections; there each call has a key of its own.
 */
export class CallKeys {
  #last = 0;
  /** The keys of the calls without a session, by id. Owned by this object. */
  readonly #withoutSession = new Map<string, Set<string>>();

  open(session: string | undefined, id: RequestId): string {
    if (session !== undefined) return JSON.stringify([session, id]);
    const key = JSON.stringify([++this.#last, id]);
    const name = JSON.stringify(id);
    const known = this.#withoutSession.get(name) ?? new Set();
    this.#withoutSession.set(name, known.add(key));
    return key;
  }

  close(session: string | undefined, id: RequestId, key: string): void {
    if (session !== undefined) return;
    const name = JSON.stringify(id);
    const known = this.#withoutSession.get(name);
    known?.delete(key);
    if (known?.size === 0) this.#withoutSession.delete(name);
  }

  /** The key of the call that an id means. Without a session it is known only if one call alone has the id. */
  find(session: string | undefined, id: unknown): string | undefined {
    if (session !== undefined) return JSON.stringify([session, id]);
    const known = this.#withoutSession.get(JSON.stringify(id));
    return known?.size === 1 ? [...known][0] : undefined;
  }
}
