import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Producer } from '@platformatic/kafka';
import { Unavailable } from '../topics.ts';

/** The header that tells messages apart, in a topic that was deleted and created again, too. */
export const messageIdHeader = 'soc-message-id';

/** What is written to a topic. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
  /** The same whenever the message is written again. @defaultValue a new one */
  readonly id?: string;
}

const attempts = 3;
const requestTimeoutMs = 10_000;

/**
 * Writes messages to topics. Each is on all in-sync replicas when `write` resolves. After a failure the connection is replaced: a message
 * whose acknowledgement was lost is written twice, which consumers expect.
 */
export class TopicWriter {
  readonly #brokers: readonly string[];
  readonly #clientId: string;
  #producer: Producer | undefined;

  constructor(brokers: readonly string[], clientId: string) {
    this.#brokers = brokers;
    this.#clientId = clientId;
  }

  /** @throws {Unavailable} if no attempt succeeded */
  write(topic: string, key: string, value: Buffer): Promise<void> {
    return this.writeAll([{ topic, key, value }]);
  }

  /**
   * Writes messages in their order. They must fit into one request: all of them together are not larger than one message may be.
   *
   * @throws {Unavailable} if no attempt succeeded. Any of them may be written nevertheless.
   */
  async writeAll(outgoing: readonly OutgoingMessage[]): Promise<void> {
    const messages = outgoing.map(({ topic, key, value, id = randomUUID() }) => ({
      topic,
      key: Buffer.from(key),
      value,
      headers: new Map([[Buffer.from(messageIdHeader), Buffer.from(id)]]),
    }));
    for (let attempt = 1; ; attempt++) {
      this.#producer ??= this.#connect();
      const producer = this.#producer;
      try {
        await producer.send({ messages });
        return;
      } catch (cause) {
        if (this.#producer === producer) this.#producer = undefined;
        await producer.close().catch(() => undefined);
        if (attempt === attempts) {
          const topics = [...new Set(outgoing.map(({ topic }) => topic))].join(', ');
          throw new Unavailable(`the topic ${topics} can't be written`, { cause });
        }
        await pause(100 * 2 ** attempt);
      }
    }
  }

  async close(): Promise<void> {
    await this.#producer?.close();
    this.#producer = undefined;
  }

  #connect(): Producer {
    return new Producer({
      clientId: this.#clientId,
      bootstrapBrokers: [...this.#brokers],
      connectTimeout: 5_000,
      requestTimeout: requestTimeoutMs,
      timeout: requestTimeoutMs / 2,
      // The client library takes 0 as "without limit" for an idempotent producer.
      retries: false,
      repeatOnStaleMetadata: false,
      autocreateTopics: false,
      idempotent: true,
    });
  }
}
