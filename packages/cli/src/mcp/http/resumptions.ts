/** A client is behind the server by a few events at most. */
const maxEvents = 64;
const maxRequests = 2_000;

/**
 * Which request a stream of events belongs to, for clients that continue a broken stream with `Last-Event-ID`. Only then may the answer
 * to a request come in another stream than its own.
 */
export class Resumptions<Request extends object> {
  /** By session and event. Owned by this object. */
  readonly #requests = new Map<string, Request>();
  /** The keys of each request's last events; the request that is known for longest comes first. Owned by this object. */
  readonly #events = new Map<Request, string[]>();

  /** The client gets an event with this id in the stream of a request. */
  sent(session: string, eventId: string, request: Request): void {
    const key = JSON.stringify([session, eventId]);
    const keys = this.#events.get(request) ?? [];
    keys.push(key);
    if (keys.length > maxEvents) this.#requests.delete(keys.shift()!);
    this.#requests.set(key, request);
    this.#events.set(request, keys);
    const [oldest] = this.#events.keys();
    if (this.#events.size > maxRequests) this.ended(oldest!);
  }

  /** The request whose stream has this event. */
  find(session: string, eventId: string): Request | undefined {
    return this.#requests.get(JSON.stringify([session, eventId]));
  }

  /** Whether a client could continue the stream of the request. */
  has(request: Request): boolean {
    return this.#events.has(request);
  }

  /** The request needs no further stream. */
  ended(request: Request): void {
    for (const key of this.#events.get(request) ?? []) this.#requests.delete(key);
    this.#events.delete(request);
  }
}
