import { setTimeout as pause } from 'node:timers/promises';
import type { DurableStore } from '../durable/store.ts';
import { maxMessageBytes } from './topic-settings.ts';
import type { TopicWriter } from './topic-writer.ts';

/** Messages that are read from the store at one time. */
const rowsAtOnce = 200;
const backoff = { firstMs: 100, maxMs: 5_000 };

interface Row {
  readonly place: number;
  readonly topic: string;
  readonly id: string;
  readonly key: string;
  readonly value: string;
}

/**
 * Writes the outgoing messages of a store to Kafka, in their order, and removes each when the broker has it. After a crash, messages are
 * written again with the same ids, so consumers handle each once.
 */
export class OutgoingRelay {
  readonly #store: DurableStore;
  readonly #writer: TopicWriter;
  readonly #onError: (error: unknown) => void;
  readonly #stopping = new AbortController();
  readonly #endListening: () => void;
  #running: Promise<void> | undefined;
  #published = 0;
  #idle: (() => void)[] = [];

  /** @param onError called with faults of the connection. The messages stay, and are tried again. */
  constructor(store: DurableStore, writer: TopicWriter, onError: (error: unknown) => void) {
    this.#store = store;
    this.#writer = writer;
    this.#onError = onError;
    this.#endListening = store.onChange(() => this.#wake());
    this.#wake();
  }

  /** Messages that were written since the start of the process. */
  get published(): number {
    return this.#published;
  }

  /** Messages that are stored and not yet written. */
  get waiting(): number {
    return this.#store.query<{ count: number }>('select count(*) as count from outgoing')[0]!.count;
  }

  /** Resolves when the broker has every message. */
  async idle(): Promise<void> {
    while (this.waiting > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Writes nothing more. What is not written stays in the store, and is written after the next start. */
  async close(): Promise<void> {
    this.#endListening();
    this.#stopping.abort();
    await this.#running;
  }

  #wake(): void {
    if (this.#running !== undefined || this.#stopping.signal.aborted) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // A change that came while the last one ended.
      if (this.waiting > 0) this.#wake();
    });
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      const rows = this.#next();
      if (rows.length === 0) return;
      try {
        await this.#writer.writeAll(rows.map((row) => ({ ...row, value: Buffer.from(row.value) })));
      } catch (error) {
        this.#onError(error);
        const ms = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(failures++, 16));
        await pause(ms, undefined, { signal }).catch(() => undefined);
        continue;
      }
      failures = 0;
      this.#published += rows.length;
      // A crash before this line writes the messages again, with the same ids.
      this.#store.transaction(() =>
        this.#store.execute('delete from outgoing where place <= ?', rows.at(-1)!.place),
      );
      if (this.waiting === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** The next messages that fit into one request. */
  #next(): Row[] {
    const rows = this.#store.query<Row>(
      'select place, topic, id, key, value from outgoing order by place limit ?',
      rowsAtOnce,
    );
    let bytes = 0;
    const end = rows.findIndex(({ value }, at) => {
      bytes += Buffer.byteLength(value);
      return at > 0 && bytes > maxMessageBytes;
    });
    return end < 0 ? rows : rows.slice(0, end);
  }
}
