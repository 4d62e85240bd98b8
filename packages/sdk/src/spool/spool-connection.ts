import { AuditError, type ReportError } from '../errors.ts';
import type { Request, RequestOf, Responses, SpoolContents } from './requests.ts';
import type { SpoolClient } from './spool-client.ts';

/**
 * Whether the spool's file can be used.
 *
 * - `opening`: new events wait in memory; nothing is read, written or sent. A crash loses all events of this process.
 * - `open`: events in memory are written to disk, and events on disk are read and sent. A crash loses the events that are only
 *   in memory.
 * - `abandoned`: the file could not be opened or read, or its thread failed. Events are sent from memory alone; those on disk stay
 *   there for the next process. A crash loses all events in memory.
 * - `closed`: nothing happens any more, and memory is empty, so a crash loses nothing.
 *
 * It starts as `opening`, becomes `open` or `abandoned`, and may go from `open` to `abandoned`. The emitter's end makes it `closed`.
 */
export type SpoolState =
  | { readonly name: 'opening' }
  | {
      readonly name: 'open';
      /** The event at position `n` of this process's queue is in row `rowOffset + n` of the file. */
      readonly rowOffset: number;
    }
  | { readonly name: 'abandoned' }
  | { readonly name: 'closed' };

/** What is used of the {@link SpoolClient}. */
export type SpoolRequests = Pick<SpoolClient, 'request' | 'requestNow' | 'end' | 'failed'>;

/** A request of {@link SpoolConnection.request} failed, which was reported. */
export const requestFailed = Symbol('request failed');

/** The state of the spool's file, and requests to it. Owned by the emitter's thread; the spool's thread owns the file itself. */
export class SpoolConnection {
  readonly #client: SpoolRequests;
  readonly #report: ReportError;
  readonly #onAbandoned: () => void;
  #state: SpoolState = { name: 'opening' };

  constructor(client: SpoolRequests, report: ReportError, onAbandoned: () => void) {
    this.#client = client;
    this.#report = report;
    this.#onAbandoned = onAbandoned;
  }

  get state(): SpoolState {
    return this.#state;
  }

  get isOpen(): boolean {
    return this.#state.name === 'open';
  }

  /** `opening` → `open`, or → `abandoned` with the result `undefined`. */
  async open(): Promise<SpoolContents | undefined> {
    try {
      const contents = await this.#client.request<'open'>({ op: 'open' });
      for (const reason of contents.unreadable ?? []) {
        const message = `events of an ended emitter can't be read and stay on disk: ${reason}`;
        this.#report(new AuditError('SPOOL_FAILED', message, { events: 0 }));
      }
      this.#state = { name: 'open', rowOffset: contents.nextRow - 1 };
      return contents;
    } catch (error) {
      this.#report(error as AuditError);
      this.#state = { name: 'abandoned' };
      return undefined;
    }
  }

  /** Never rejects. A failure is reported; if the spool's thread has failed permanently, the spool is abandoned. */
  async request<Op extends Request['op']>(
    request: RequestOf<Op>,
  ): Promise<Responses[Op] | typeof requestFailed> {
    try {
      return await this.#client.request<Op>(request);
    } catch (error) {
      if (this.isOpen) this.#report(error as AuditError);
      if (this.#client.failed) this.abandon();
      return requestFailed;
    }
  }

  /** Sends requests and blocks until the last one is processed, or the time is over. */
  requestNow(requests: readonly Request[], timeoutMs: number): void {
    if (this.#state.name === 'open' || this.#state.name === 'opening') {
      this.#client.requestNow(requests, timeoutMs);
    }
  }

  /** `open` → `abandoned`. */
  abandon(): void {
    if (!this.isOpen) return;
    this.#state = { name: 'abandoned' };
    this.#onAbandoned();
  }

  /** Any state → `closed`. Ends the spool's thread. */
  close(): void {
    this.#state = { name: 'closed' };
    this.#client.end();
  }
}
