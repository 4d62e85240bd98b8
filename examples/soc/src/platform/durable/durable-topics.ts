import type { RecordDeadLetter } from '../dead-letter-records.ts';
import { handleMessage, type Refusal, refusalOf } from '../message-handling.ts';
import {
  type DeadLetter,
  type Handler,
  type LocalTopics,
  type Message,
  RejectedMessage,
  type Topic,
  type Topics,
  Unavailable,
} from '../topics.ts';
import type { DurableStore } from './store.ts';

interface Row {
  readonly place: number;
  readonly message: string;
}

/** One consumer of one topic. Its messages are handled one after the other. */
interface Subscription {
  readonly topic: Topic;
  readonly consumer: string;
  readonly handler: Handler<unknown>;
  readonly stopping: AbortController;
  /** Ends the pause of a subscription that has nothing to do. */
  wake: () => void;
  isWaiting: boolean;
  running: Promise<void>;
}

const backoff = { firstMs: 1, maxMs: 1_000 };

/**
 * Topics on disk, for services in one process. What a service changes while it handles a message takes effect together with the note that
 * the message is handled: after a kill the message is handled again as if it never was, or it is handled.
 */
export class DurableTopics implements LocalTopics {
  /** @defaultValue records nothing */
  recordDeadLetter: RecordDeadLetter = () => undefined;
  readonly #store: DurableStore;
  readonly #subscriptions = new Set<Subscription>();
  readonly #endListening: () => void;
  #onSettled: (() => void)[] = [];

  constructor(store: DurableStore) {
    this.#store = store;
    this.#endListening = store.onChange(() => {
      for (const { wake } of this.#subscriptions) wake();
    });
    this.#dropHandled();
  }

  get deadLetters(): DeadLetter[] {
    const rows = this.#store.query<{ letter: string }>('select letter from dead_letters order by place');
    return rows.map(({ letter }) => JSON.parse(letter) as DeadLetter);
  }

  async publish<K extends Topic>(topic: K, message: Message<Topics[K]>): Promise<void> {
    const text = JSON.stringify(message);
    this.#store.change(() =>
      this.#store.execute('insert into messages (topic, message) values (?, ?)', topic, text),
    );
  }

  async subscribe<K extends Topic>(
    topic: K,
    consumer: string,
    handler: Handler<Topics[K]>,
  ): Promise<() => Promise<void>> {
    const subscription: Subscription = {
      ...{ topic, consumer, handler: handler as Handler<unknown>, stopping: new AbortController() },
      ...{ wake: () => undefined, isWaiting: false, running: Promise.resolve() },
    };
    // A consumer that has handled nothing yet needs all messages: see #dropHandled.
    this.#store.transaction(() =>
      this.#store.execute(
        'insert or ignore into cursors (topic, consumer, place) values (?, ?, 0)',
        topic,
        consumer,
      ),
    );
    this.#subscriptions.add(subscription);
    subscription.running = this.#read(subscription);
    return async () => {
      subscription.stopping.abort();
      subscription.wake();
      await subscription.running;
      this.#subscriptions.delete(subscription);
    };
  }

  get isSettled(): boolean {
    return [...this.#subscriptions].every((one) => one.isWaiting && this.#next(one) === undefined);
  }

  async settled(): Promise<void> {
    while (!this.isSettled) await new Promise<void>((resolve) => this.#onSettled.push(resolve));
  }

  /** Ends all subscriptions, after the messages that are being handled. */
  async close(): Promise<void> {
    this.#endListening();
    for (const { stopping, wake } of this.#subscriptions) {
      stopping.abort();
      wake();
    }
    await Promise.all([...this.#subscriptions].map(({ running }) => running));
  }

  /** Never rejects. */
  async #read(subscription: Subscription): Promise<void> {
    const { signal } = subscription.stopping;
    while (!signal.aborted) {
      const row = this.#next(subscription);
      if (row !== undefined) {
        await this.#handle(subscription, row).catch(() => undefined);
        continue;
      }
      const woken = new Promise<void>((resolve) => {
        subscription.wake = resolve;
      });
      subscription.isWaiting = true;
      for (const resolve of this.#onSettled.splice(0)) resolve();
      await woken;
      subscription.isWaiting = false;
    }
  }

  /** @throws if the subscription ends before the message is handled */
  async #handle(subscription: Subscription, { place, message: text }: Row): Promise<void> {
    const { topic, consumer, handler, stopping } = subscription;
    const message = JSON.parse(text) as Message<unknown>;
    const done = () =>
      this.#store.change(() =>
        this.#store.execute(
          'insert or replace into cursors (topic, consumer, place) values (?, ?, ?)',
          ...[topic, consumer, place],
        ),
      );
    const attempt = () =>
      this.#store.run(async () => {
        try {
          await handler(message);
        } catch (error) {
          if (!(error instanceof RejectedMessage)) throw error;
          this.#keep({ topic, consumer, ...message }, refusalOf(error));
        }
        done();
      });
    const refusal = await handleMessage(attempt, message, backoff, stopping.signal);
    if (refusal === undefined) return;
    const letter = () =>
      this.#store.run(async () => {
        this.#keep({ topic, consumer, ...message }, refusal);
        done();
      });
    // A dead letter that can't be stored now is stored later.
    const later = () =>
      letter().catch((cause: unknown) => Promise.reject(new Unavailable('not stored', { cause })));
    await handleMessage(later, message, backoff, stopping.signal);
  }

  #keep(
    message: Omit<DeadLetter, 'code' | 'reason' | 'audit_id'>,
    { code, reason, recordedAs }: Refusal,
  ): void {
    const letter = { ...message, code, reason };
    const text = JSON.stringify({ ...letter, audit_id: recordedAs ?? this.recordDeadLetter(letter) });
    this.#store.change(() => this.#store.execute('insert into dead_letters (letter) values (?)', text));
  }

  #next({ topic, consumer }: Subscription): Row | undefined {
    const [row] = this.#store.query<Row>(
      `select place, message from messages where topic = ? and place >
         (select place from cursors where cursors.topic = ? and consumer = ?) order by place limit 1`,
      ...[topic, topic, consumer],
    );
    return row;
  }

  /** Messages that every consumer has handled are dropped at the start. */
  #dropHandled(): void {
    this.#store.transaction(() =>
      this.#store.execute(
        `delete from messages where place <= (
           select min(cursors.place) from cursors where cursors.topic = messages.topic)`,
      ),
    );
  }
}
