import type { RecordDeadLetter } from '../dead-letter-records.ts';
import { handleMessage } from '../message-handling.ts';
import { withRepeatableIds } from '../repeatable-ids.ts';
import type { DeadLetter, Handler, Message, Topic, TopicBus, Topics } from '../topics.ts';
import { type KafkaTopicsOptions, kafkaDefaults } from './kafka-options.ts';
import { encodeMessage } from './message-bytes.ts';
import { bytesOfLetter, placeOf, type Received, readOrRefuse, unreadable } from './received.ts';
import { TopicReaders } from './topic-readers.ts';
import { deadLetterTopicOf } from './topic-settings.ts';
import { TopicWriter } from './topic-writer.ts';

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
  readonly #readers: TopicReaders;

  constructor(options: KafkaTopicsOptions) {
    this.#options = { ...kafkaDefaults, ...options };
    this.#readers = new TopicReaders(this.#options, (...received) => this.#handle(...received));
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
    return this.#readers.subscribe(topic, consumer, handler as Handler<unknown>);
  }

  /** Ends all subscriptions, after the messages that are being handled. */
  async close(): Promise<void> {
    await this.#readers.close();
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
