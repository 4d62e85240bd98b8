import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordDeadLetter } from './dead-letter-records.ts';
import { handleMessage } from './message-handling.ts';
import type { DeadLetter, Handler, LocalTopics, Message, Topic, Topics } from './topics.ts';

interface Subscription {
  readonly consumer: string;
  readonly handler: Handler<unknown>;
  /** The end of the last message that was handed over. Messages of one consumer are handled one after the other. */
  tail: Promise<void>;
}

/** Topics in this process. A crash loses what was not handled. */
export class MemoryTopics implements LocalTopics {
  /** The latest dead letters. */
  readonly deadLetters: DeadLetter[] = [];
  /** @defaultValue records nothing */
  recordDeadLetter: RecordDeadLetter = () => undefined;
  readonly #keepDeadLetters: number;
  #deadLetterCount = 0;
  readonly #subscriptions = new Map<Topic, Subscription[]>();
  /** Messages that were published and not yet handled by every consumer. */
  readonly #open = new Set<Promise<void>>();

  /** @param keepDeadLetters dead letters that are kept; older ones are only counted */
  constructor(keepDeadLetters = 1_000) {
    this.#keepDeadLetters = keepDeadLetters;
  }

  /** All dead letters so far, also those that are no longer kept. */
  get deadLetterCount(): number {
    return this.#deadLetterCount;
  }

  async publish<K extends Topic>(topic: K, message: Message<Topics[K]>): Promise<void> {
    // A copy in JSON, as a broker would carry it: consumers never share an object.
    const text = JSON.stringify(message);
    for (const subscription of this.#subscriptions.get(topic) ?? []) {
      const handled = subscription.tail.then(async () => {
        // A broker's messages come from the network. Without a turn of the event loop between them, no timer of the process would run
        // before the last message, and emitters would deliver nothing.
        await nextTurn();
        await this.#handle(topic, subscription, JSON.parse(text) as Message<unknown>);
      });
      subscription.tail = handled;
      this.#open.add(handled);
      handled.then(() => this.#open.delete(handled));
    }
  }

  async subscribe<K extends Topic>(
    topic: K,
    consumer: string,
    handler: Handler<Topics[K]>,
  ): Promise<() => Promise<void>> {
    const subscription: Subscription = {
      consumer,
      handler: handler as Handler<unknown>,
      tail: Promise.resolve(),
    };
    const all = this.#subscriptions.get(topic) ?? [];
    this.#subscriptions.set(topic, [...all, subscription]);
    return async () => {
      const others = this.#subscriptions.get(topic)!.filter((other) => other !== subscription);
      this.#subscriptions.set(topic, others);
      await subscription.tail;
    };
  }

  get isSettled(): boolean {
    return this.#open.size === 0;
  }

  async settled(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  /** Never rejects: a message that can't be handled becomes a dead letter. */
  async #handle(topic: Topic, { consumer, handler }: Subscription, message: Message<unknown>): Promise<void> {
    const refusal = await handleMessage(handler, message, { firstMs: 1, maxMs: 1_000 });
    if (refusal === undefined) return;
    const { code, reason, recordedAs } = refusal;
    const letter = { topic, consumer, ...message, code, reason };
    this.deadLetters.push({ ...letter, audit_id: recordedAs ?? this.recordDeadLetter(letter) });
    this.#deadLetterCount += 1;
    if (this.deadLetters.length > this.#keepDeadLetters) this.deadLetters.shift();
  }
}
