import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Producer } from '@platformatic/kafka';
import { Unavailable } from '../topics.ts';

/** The header that tells messages apart, in a topic that was deleted and created again, too. */
export const messageIdHeader = 'soc-message-id';

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
  async write(topic: string, key: string, value: Buffer): Promise<void> {
    const headers = new Map([[Buffer.from(messageIdHeader), Buffer.from(randomUUID())]]);
    for (let attempt = 1; ; attempt++) {
      this.#producer ??= this.#connect();
      const producer = this.#producer;
      try {
        await producer.send({ messages: [{ topic, key: Buffer.from(key), value, headers }] });
        return;
      } catch (cause) {
        if (this.#producer === producer) this.#producer = undefined;
        await producer.close().catch(() => undefined);
        if (attempt === attempts) throw new Unavailable(`the topic ${topic} can't be written`, { cause });
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
