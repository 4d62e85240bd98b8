import type { DurableStore } from '../durable/store.ts';
import { retentionMs } from './topic-settings.ts';

/** A message that Kafka no longer has can't be delivered again. Senders that were down may publish it again a while later. */
const keptMs = 2 * retentionMs;
/** Between two deletions of what is too old. */
const pruneEvery = 1_000;

/** Which messages a service has handled. What its handlers change and this note take effect together. */
export class HandledMessages {
  readonly #store: DurableStore;
  #added = 0;

  constructor(store: DurableStore) {
    this.#store = store;
  }

  /** @param identity see `identityOf` */
  has(consumer: string, identity: string): boolean {
    const sql = 'select 1 from handled where consumer = ? and message = ?';
    return this.#store.query(sql, consumer, identity).length > 0;
  }

  /** Takes effect with the unit of work that is open. */
  add(consumer: string, identity: string): void {
    const now = Date.now();
    const prune = ++this.#added % pruneEvery === 0;
    this.#store.change(() => {
      this.#store.execute(
        'insert or ignore into handled (consumer, message, at) values (?, ?, ?)',
        ...[consumer, identity, now],
      );
      if (prune) this.#store.execute('delete from handled where at < ?', now - keptMs);
    });
  }
}
