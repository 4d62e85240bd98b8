import { randomUUID } from 'node:crypto';
import type { RecordDeadLetter } from '../dead-letter-records.ts';
import type { DurableStore } from '../durable/store.ts';
import { handleMessage, type Refusal, refusalOf } from '../message-handling.ts';
import { withRepeatableIds } from '../repeatable-ids.ts';
import {
  type DeadLetter,
  type Handler,
  type Message,
  RejectedMessage,
  type Topic,
  type TopicBus,
  type Topics,
  Unavailable,
} from '../topics.ts';
import { HandledMessages } from './handled-messages.ts';
import { type KafkaTopicsOptions, kafkaDefaults } from './kafka-options.ts';
import { encodeMessage } from './message-bytes.ts';
import { OutgoingRelay } from './outgoing-relay.ts';
import { bytesOfLetter, identityOf, type Received, readOrRefuse, unreadable } from './received.ts';
import { type ConsumerGroup, TopicReaders } from './topic-readers.ts';
import { deadLetterTopicOf } from './topic-settings.ts';
import { TopicWriter } from './topic-writer.ts';

/**
 * Topics of Kafka for one service with a store of its own. What the service changes while it handles a message, what it publishes, and
 * the note that the message is handled take effect together, in the store. Afterwards the messages are written to Kafka and the offset is
 * committed. After a crash, a message that is delivered again is not handled again.
 */
export class DurableKafkaTopics implements TopicBus {
  /** @defaultValue records nothing */
  recordDeadLetter: RecordDeadLetter = () => undefined;
  readonly #store: DurableStore;
  readonly #options: KafkaTopicsOptions & typeof kafkaDefaults;
  readonly #writer: TopicWriter;
  readonly #handled: HandledMessages;
  readonly #relay: OutgoingRelay;
  readonly #readers: TopicReaders;
  #deliveries = 0;

  constructor(store: DurableStore, options: KafkaTopicsOptions) {
    this.#store = store;
    this.#options = { ...kafkaDefaults, ...options };
    this.#readers = new TopicReaders(this.#options, (...received) => this.#handle(...received));
    this.#writer = new TopicWriter(options.brokers, this.#options.clientId);
    this.#handled = new HandledMessages(store);
    this.#relay = new OutgoingRelay(store, this.#writer, this.#options.onError);
  }

  /** Messages that were delivered and written since the start of the process: it grows with everything that moves. */
  get moved(): number {
    return this.#deliveries + this.#relay.published;
  }

  /** The consumer groups of the service. */
  get groups(): readonly ConsumerGroup[] {
    return this.#readers.groups;
  }

  /** Messages that are stored and not yet written to Kafka. */
  get outgoing(): number {
    return this.#relay.waiting;
  }

  async publish<K extends Topic>(topic: K, message: Message<Topics[K]>): Promise<void> {
    this.#send(topic, message.key, encodeMessage(message));
  }

  async subscribe<K extends Topic>(
    topic: K,
    consumer: string,
    handler: Handler<Topics[K]>,
  ): Promise<() => Promise<void>> {
    return this.#readers.subscribe(topic, consumer, handler as Handler<unknown>);
  }

  /** Resolves when the broker has every message. */
  idle(): Promise<void> {
    return this.#relay.idle();
  }

  /** Ends all subscriptions, after the messages that are being handled. Messages that the broker does not have stay in the store. */
  async close(): Promise<void> {
    await this.#readers.close();
    await this.#relay.close();
    await this.#writer.close();
  }

  #send(topic: string, key: string, value: Buffer): void {
    const id = randomUUID();
    this.#store.change(() =>
      this.#store.execute(
        'insert into outgoing (topic, id, key, value) values (?, ?, ?, ?)',
        ...[this.#options.prefix + topic, id, key, value.toString()],
      ),
    );
  }

  async #handle(
    topic: Topic,
    consumer: string,
    handler: Handler<unknown>,
    received: Received,
    signal: AbortSignal,
  ): Promise<void> {
    this.#deliveries += 1;
    const identity = identityOf(received);
    if (this.#handled.has(consumer, identity)) return;
    const read = readOrRefuse(received);
    const message = 'message' in read ? read.message : unreadable(received);
    const keep = (refusal: Refusal) => this.#keep({ topic, consumer, ...message }, refusal, received);
    const done = () => this.#handled.add(consumer, identity);
    const inUnit = (work: () => Promise<void>) =>
      withRepeatableIds(`${consumer} ${identity}`, Number(received.timestamp), () =>
        this.#store.run(async () => {
          await work();
          done();
        }),
      );
    const attempt = () =>
      inUnit(async () => {
        if ('refusal' in read) return keep(read.refusal);
        try {
          await handler(message);
        } catch (error) {
          if (!(error instanceof RejectedMessage)) throw error;
          keep(refusalOf(error));
        }
      });
    const { backoff } = this.#options;
    const refusal = await handleMessage(attempt, message, backoff, signal);
    if (refusal === undefined) return;
    // A dead letter that can't be stored now is stored later.
    const later = () =>
      inUnit(async () => keep(refusal)).catch((cause: unknown) =>
        Promise.reject(new Unavailable('the dead letter is not stored', { cause })),
      );
    await handleMessage(later, message, backoff, signal);
  }

  #keep(
    message: Omit<DeadLetter, 'code' | 'reason' | 'audit_id'>,
    { code, reason, recordedAs }: Refusal,
    received: Received,
  ): void {
    const letter = { ...message, code, reason };
    const recorded = { ...letter, audit_id: recordedAs ?? this.recordDeadLetter(letter) };
    this.#send(deadLetterTopicOf(message.topic), message.key, bytesOfLetter(recorded, received));
  }
}
