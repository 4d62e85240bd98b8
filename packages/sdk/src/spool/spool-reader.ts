/** Reads the next events to send from disk. Owned by the emitter's thread. */
import { eventsPerRead, type SpooledBatch, type SpooledEvent } from './requests.ts';
import { requestFailed, type SpoolConnection } from './spool-connection.ts';

export class SpoolReader {
  readonly #connection: SpoolConnection;
  readonly #ownProducerId: string;
  /**
   * What is done, even if it could not be removed because the disk is full: events up to this row, and the declarations of these
   * producers. They are not sent again.
   */
  #settledRow = 0;
  readonly #forgottenProducers = new Set<string>();
  /** Whether the file may contain declarations of an earlier process. */
  #mayOweDeclarations = true;

  constructor(connection: SpoolConnection, ownProducerId: string) {
    this.#connection = connection;
    this.#ownProducerId = ownProducerId;
  }

  get mayOweDeclarations(): boolean {
    return this.#mayOweDeclarations;
  }

  /** The outcome of all events up to this row is known. */
  settleThrough(row: number): void {
    this.#settledRow = Math.max(this.#settledRow, row);
  }

  /** The service has all that this producer had to declare. */
  forgetProducer(producerId: string): void {
    this.#forgottenProducers.add(producerId);
  }

  /** The next events or declarations, or `undefined` if there are none or the file can't be read. */
  async next(maxEvents: number, maxBytes: number): Promise<SpooledBatch | undefined> {
    const batch = await this.#read(maxEvents, maxBytes);
    if (batch !== undefined && (batch.events.length > 0 || !this.#forgottenProducers.has(batch.producerId))) {
      return batch;
    }
    this.#mayOweDeclarations = false;
    return undefined;
  }

  /** Reads in several requests, so that the application's own work can run in between. */
  async #read(maxEvents: number, maxBytes: number): Promise<SpooledBatch | undefined> {
    const events: SpooledEvent[] = [];
    let first: SpooledBatch | undefined;
    let bytesLeft = maxBytes;
    for (;;) {
      const requested = Math.min(eventsPerRead, maxEvents - events.length);
      const more = await this.#connection.request<'read'>({
        op: 'read',
        ownProducerId: this.#ownProducerId,
        afterRow: events.at(-1)?.row ?? 0,
        settledRow: this.#settledRow,
        maxEvents: requested,
        maxBytes: bytesLeft,
      });
      if (more === requestFailed && first === undefined) {
        // Newer events must not be sent before those that can't be read, and settling them would remove all rows before them.
        this.#connection.abandon();
      }
      if (more === requestFailed || more === undefined) break;
      first ??= more;
      if (more.producerId !== first.producerId) break;
      for (const event of more.events) {
        if (events.length > 0 && event.bytes > bytesLeft) return { ...first, events };
        bytesLeft -= event.bytes;
        events.push(event);
      }
      if (more.events.length < requested || events.length >= maxEvents) break;
    }
    return first === undefined ? undefined : { ...first, events };
  }
}
