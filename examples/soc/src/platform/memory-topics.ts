import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type DeadLetter,
  type Handler,
  type Message,
  RejectedMessage,
  type Topic,
  type TopicBus,
  type Topics,
} from './topics.ts';

interface Subscription {
  readonly consumer: string;
  readonly handler: Handler<unknown>;
  /** The end of the last message that was handed over. Messages of one consumer are handled one after the other. */
  tail: Promise<void>;
}

/** How often a handler that fails is called before its message becomes a dead letter. */
const attempts = 3;

/** Topics in this process. A crash loses what was not handled. */
export class MemoryTopics implements TopicBus {
  /** The latest dead letters. */
  readonly deadLetters: DeadLetter[] = [];
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

  /** Resolves when every message is handled, including those that handlers published. */
  async settled(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  /** Never rejects: a message that can't be handled becomes a dead letter. */
  async #handle(topic: Topic, { consumer, handler }: Subscription, message: Message<unknown>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await handler(message);
      } catch (error) {
        if (!(error instanceof RejectedMessage) && attempt < attempts) continue;
        this.deadLetters.push({ topic, consumer, ...message, ...describe(error) });
        this.#deadLetterCount += 1;
        if (this.deadLetters.length > this.#keepDeadLetters) this.deadLetters.shift();
        return;
      }
    }
  }
}

/** The code and the reason of a dead letter. */
export function describe(error: unknown): { code: string; reason: string } {
  if (error instanceof RejectedMessage) return { code: error.code, reason: error.message };
  return { code: 'HANDLER_FAILED', reason: error instanceof Error ? error.message : String(error) };
}
