import type { Clock } from '../clock.ts';
import type { Request, RequestOf, Responses, StoredDeadLetter } from './requests.ts';
import type { SpoolClient } from './spool-client.ts';

/** How long the spool's thread may take to open the file and respond. */
const maxWaitMs = 30_000;

/**
 * The dead letters in the spool's file. A caller waits for each result, so the process is kept alive meanwhile. All methods reject
 * with an `AuditError` if the spool can't be used.
 */
export class DeadLetterStore {
  readonly #client: Pick<SpoolClient, 'request'>;
  readonly #clock: Clock;
  readonly #opened: Promise<unknown>;

  constructor(client: Pick<SpoolClient, 'request'>, clock: Clock, opened: Promise<unknown>) {
    this.#client = client;
    this.#clock = clock;
    this.#opened = opened;
  }

  /** @param after only dead letters after this place */
  list(after: number, limit: number): Promise<readonly StoredDeadLetter[]> {
    return this.#request<'listDeadLetters'>({ op: 'listDeadLetters', after, limit });
  }

  /** @returns how many were deleted */
  purge(places: readonly number[] | 'all'): Promise<number> {
    return this.#request<'purgeDeadLetters'>({ op: 'purgeDeadLetters', places });
  }

  async #request<Op extends Request['op']>(request: RequestOf<Op>): Promise<Responses[Op]> {
    const release = this.#clock.schedule(maxWaitMs, () => {}, true);
    try {
      await this.#opened;
      return await this.#client.request<Op>(request);
    } finally {
      release();
    }
  }
}
