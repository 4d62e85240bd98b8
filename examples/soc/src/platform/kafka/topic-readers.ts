import type { Handler, Topic } from '../topics.ts';
import type { KafkaTopicsOptions, kafkaDefaults } from './kafka-options.ts';
import type { Received } from './received.ts';
import { TopicReader } from './topic-reader.ts';

/** A consumer group, and the topic that it reads. Both have the prefix of the platform. */
export interface ConsumerGroup {
  readonly id: string;
  readonly topic: string;
}

/** Handles a message, read or not, before its offset is committed. */
export type HandleReceived = (
  topic: Topic,
  consumer: string,
  handler: Handler<unknown>,
  received: Received,
  signal: AbortSignal,
) => Promise<void>;

/** The topics that a service has subscribed to. Each has a group of its own, so that a rebalance of one does not interrupt another. */
export class TopicReaders {
  readonly #options: KafkaTopicsOptions & typeof kafkaDefaults;
  readonly #handle: HandleReceived;
  readonly #readers = new Set<TopicReader>();
  readonly #groups: ConsumerGroup[] = [];

  constructor(options: KafkaTopicsOptions & typeof kafkaDefaults, handle: HandleReceived) {
    this.#options = options;
    this.#handle = handle;
  }

  /** The groups of all subscriptions, also of those that have ended. */
  get groups(): readonly ConsumerGroup[] {
    return this.#groups;
  }

  /** @returns a function that ends the subscription, after the messages that are being handled */
  subscribe(topic: Topic, consumer: string, handler: Handler<unknown>): () => Promise<void> {
    const { brokers, prefix, clientId, sessionTimeoutMs, onError } = this.#options;
    const group = { id: `${prefix}${consumer}.${topic}`, topic: prefix + topic };
    const reader = new TopicReader({
      brokers,
      clientId,
      sessionTimeoutMs,
      onError,
      topic: group.topic,
      groupId: group.id,
      handle: (received, signal) => this.#handle(topic, consumer, handler, received, signal),
    });
    this.#groups.push(group);
    this.#readers.add(reader);
    return async () => {
      this.#readers.delete(reader);
      await reader.close();
    };
  }

  /** Ends all subscriptions, after the messages that are being handled. */
  async close(): Promise<void> {
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    this.#readers.clear();
  }
}
