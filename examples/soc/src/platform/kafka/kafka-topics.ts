import type { RecordDeadLetter } from '../dead-letter-records.ts';
import { type Backoff, handleMessage } from '../message-handling.ts';
import { withRepeatableIds } from '../repeatable-ids.ts';
import type { DeadLetter, Handler, Message, Topic, TopicBus, Topics } from '../topics.ts';
import { encodeMessage } from './message-bytes.ts';
import { bytesOfLetter, placeOf, type Received, readOrRefuse, unreadable } from './received.ts';
import { TopicReader } from './topic-reader.ts';
import { deadLetterTopicOf } from './topic-settings.ts';
import { TopicWriter } from './topic-writer.ts';

export interface KafkaTopicsOptions {
  /** `host:port` of brokers. */
  readonly brokers: readonly string[];
  /** Stands before the name of each topic and group. @defaultValue '' */
  readonly prefix?: string;
  /** The name of this client in the broker's logs. @defaultValue 'soc' */
  readonly clientId?: string;
  /** A consumer that is silent for so long loses its partitions. @defaultValue 10000 */
  readonly sessionTimeoutMs?: number;
  /** Between attempts of a handler that fails. @defaultValue 100 to 5000 ms */
  readonly backoff?: Backoff;
  /** Called with faults of the connection, which is tried again. @defaultValue none */
  readonly onError?: (error: unknown) => void;
}

export const kafkaDefaults = {
  prefix: '',
  clientId: 'soc',
  sessionTimeoutMs: 10_000,
  backoff: { firstMs: 100, maxMs: 5_000 },
  onError: (_error: unknown): void => undefined,
};

/**
 * Topics of Kafka, for services in separate processes. The topics exist already: see `createTopics`. A message that a consumer can't
 * handle goes to `<topic>.dlq`, with its reason and the id of its record, before its offset is committed.
 *
 * A client that may write to a topic may write in the name of every tenant: the permissions are the broker's.
 */
export class KafkaTopics implements TopicBus {
  /** @defaultValue records nothing */
  recordDeadLetter: RecordDeadLetter = () => undefined;
  readonly #options: KafkaTopicsOptions & typeof kafkaDefaults;
  readonly #writer: TopicWriter;
  readonly #readers = new Set<TopicReader>();

  constructor(options: KafkaTopicsOptions) {
    this.#options = { ...kafkaDefaults, ...options };
    this.#writer = new TopicWriter(options.brokers, this.#options.clientId);
  }

  async publish<K extends Topic>(topic: K, message: Message<Topics[K]>): Promise<void> {
    await this.#writer.write(this.#options.prefix + topic, message.key, encodeMessage(message));
  }

  async subscribe<K extends Topic>(
    topic: K,
    consumer: string,
    handler: Handler<Topics[K]>,
  ): Promise<() => Promise<void>> {
    const { brokers, prefix, clientId, sessionTimeoutMs, onError } = this.#options;
    const reader = new TopicReader({
      brokers,
      clientId,
      sessionTimeoutMs,
      onError,
      topic: prefix + topic,
      // A group of its own per topic, so that a rebalance of one topic does not interrupt another.
      groupId: `${prefix}${consumer}.${topic}`,
      handle: (received, signal) =>
        this.#handle(topic, consumer, handler as Handler<unknown>, received, signal),
    });
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
    await this.#writer.close();
  }

  async #handle(
    topic: Topic,
    consumer: string,
    handler: Handler<unknown>,
    received: Received,
    signal: AbortSignal,
  ): Promise<void> {
    const place = placeOf(received);
    await withRepeatableIds(`${consumer} ${place}`, Number(received.timestamp), async () => {
      const read = readOrRefuse(received);
      const refusal =
        'refusal' in read
          ? read.refusal
          : await handleMessage(handler, read.message, this.#options.backoff, signal);
      if (refusal === undefined) return;
      const { key, lineage, value } = 'message' in read ? read.message : unreadable(received);
      const { code, reason, recordedAs } = refusal;
      const letter: DeadLetter = { topic, consumer, key, lineage, value, code, reason };
      const recorded = { ...letter, audit_id: recordedAs ?? this.recordDeadLetter(letter) };
      // A crash before the commit writes it a second time, with the same audit_id.
      await this.#writer.write(
        this.#options.prefix + deadLetterTopicOf(topic),
        key,
        bytesOfLetter(recorded, received),
      );
    });
  }
}
