import type { ServiceObserver } from '../../observer.ts';
import type { Database } from '../../store/database.ts';
import { backoffMs } from '../../timing/backoff.ts';
import { deleteDelivered, storeFailure, type TakenMessage, takeDue } from './delivery-rows.ts';
import { signedHeaders } from './signature.ts';
import type { WebhookOptions } from './webhook-options.ts';

/** How long an endpoint may take to answer, ms. */
const timeoutMs = 10_000;
/** How long no other replica takes the messages of a round, ms. Longer than the requests of a round can take. */
const leaseMs = 60_000;
/** Messages of one endpoint that are on their way at once. */
const concurrency = 8;
/** Pauses of 5 seconds up to an hour, and then each hour: the last attempt is made after about a day. */
const backoff = { baseMs: 5_000, maxMs: 3_600_000 };
const maxAttempts = 30;

export interface WebhookSenderOptions {
  readonly database: Database;
  readonly endpoints: readonly WebhookOptions[];
  /** How often due messages are looked up, ms; 0: only when {@link WebhookSender.deliverDue} is called. */
  readonly intervalMs: number;
  readonly observer: ServiceObserver;
  readonly now: () => number;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * Delivers the messages about approvals, in the background: a slow endpoint holds up neither the desk nor another endpoint. Each
 * message is delivered at least once. Two replicas share the work by leases in the table, so in the normal case each message is
 * delivered by one of them, once.
 */
export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  /** The round of each endpoint that is running. Owned by this object. */
  readonly #rounds = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
    if (options.intervalMs === 0) return;
    this.#timer = setInterval(() => void this.deliverDue(), options.intervalMs);
    this.#timer.unref();
  }

  /** Delivers what is due, until nothing is. Errors go to the observer. */
  async deliverDue(): Promise<void> {
    await Promise.all(this.#options.endpoints.map((endpoint) => this.#round(endpoint)));
  }

  /** Begins no further round, aborts the requests that run, and waits for them. Their messages are delivered again later. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await Promise.all(this.#rounds.values());
  }

  #round(endpoint: WebhookOptions): Promise<void> {
    const running = this.#rounds.get(endpoint.name);
    if (running !== undefined || this.#closing.signal.aborted) return running ?? Promise.resolve();
    const round = this.#deliver(endpoint)
      .catch((error: unknown) => this.#options.observer.onBackgroundError?.('webhooks', error))
      .finally(() => this.#rounds.delete(endpoint.name));
    this.#rounds.set(endpoint.name, round);
    return round;
  }

  async #deliver(endpoint: WebhookOptions): Promise<void> {
    const { database } = this.#options;
    while (!this.#closing.signal.aborted) {
      const messages = await takeDue(database, endpoint.name, { limit: concurrency, leaseMs });
      if (messages.length === 0) return;
      const attempts = await Promise.allSettled(messages.map((message) => this.#attempt(endpoint, message)));
      const failed = attempts.find((attempt) => attempt.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
  }

  /** A crash after the endpoint's answer and before the deletion: the message is delivered again, with the same id. */
  async #attempt(endpoint: WebhookOptions, message: TakenMessage): Promise<void> {
    const { database, observer } = this.#options;
    const { name } = endpoint;
    const failure = await this.#send(endpoint, message);
    if (failure === undefined) {
      await deleteDelivered(database, name, message.id);
      observer.onWebhook?.('delivered');
      return;
    }
    const isLast = failure.isFinal || message.attempts >= maxAttempts;
    const retryMs = isLast ? undefined : backoffMs(message.attempts - 1, backoff);
    await storeFailure(database, name, message, { error: failure.error, retryMs });
    observer.onWebhook?.(isLast ? 'dead' : 'failed');
  }

  /** @returns why the attempt failed, in words of this service: the endpoint's own go into no list */
  async #send(
    { url, secrets }: WebhookOptions,
    message: TakenMessage,
  ): Promise<{ readonly error: string; readonly isFinal: boolean } | undefined> {
    const { fetch = globalThis.fetch, now } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(url, {
        method: 'POST',
        body: message.body,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'tallystick',
          ...signedHeaders(message, secrets, now()),
        },
        // Another address than the configured one never gets a message.
        redirect: 'manual',
        signal: AbortSignal.any([timeout, this.#closing.signal]),
      });
      // The answer's body is not read, whatever its length.
      await response.body?.cancel();
      if (response.ok) return undefined;
      return { error: `status ${response.status}`, isFinal: response.status === 410 };
    } catch {
      const error = timeout.aborted ? `no answer within ${timeoutMs} ms` : 'no connection';
      return { error, isFinal: false };
    }
  }
}
