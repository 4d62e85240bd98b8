import { compatibilityPartitioner, Producer } from '@platformatic/kafka';
import type { KafkaConnection } from '../kafka/options.ts';
import type { GatewayMessage } from './messages.ts';

/**
 * One life of the client library's producer. After any failure it is cut and another one takes its place: after a failed
 * write its numbering may be ahead of the broker's (2.12), and nothing need be known of what state that left.
 */
export class GatewayLink {
  readonly #producer: Producer<Buffer, Buffer, Buffer, Buffer>;
  readonly #topic: string;
  readonly #sockets = new Set<{ destroy(): void }>();

  constructor(connection: KafkaConnection, topic: string, answerMs: number) {
    this.#topic = topic;
    this.#producer = new Producer({
      clientId: 'tallystick',
      ...connection,
      idempotent: true,
      // What the broker waits for its replicas: it should say so before nobody listens any more.
      timeout: Math.ceil(answerMs / 2),
      requestTimeout: answerMs,
      connectTimeout: Math.ceil(answerMs / 2),
      // The gateway tries again itself. A number would not do: for an idempotent producer 0 means "for ever" (2.12).
      retries: false,
      repeatOnStaleMetadata: false,
      autocreateTopics: false,
      // The library's default reads Kafka's hash as unsigned (2.12): other clients put the tenant elsewhere.
      partitioner: compatibilityPartitioner,
    });
    this.#producer.connections.on('connecting', ({ connection: made }) => {
      // The library listens once (2.12); a second error of a connection would end the process.
      made.on('error', () => {});
      const socket = { destroy: () => made.socket?.destroy() };
      this.#sockets.add(socket);
      made.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Resolves once all in-sync replicas have the messages. Rejects with the library's errors. */
  async write(messages: readonly GatewayMessage[]): Promise<void> {
    const topic = this.#topic;
    await this.#producer.send({ messages: messages.map((message) => ({ topic, ...message })) });
  }

  /** Resolves where the brokers know the topic and each of its partitions has a leader. */
  async probe(): Promise<void> {
    await this.#producer.metadata({ topics: [this.#topic], forceUpdate: true, retries: 0 });
  }

  /** Lets go of everything at once; a write under way rejects. */
  cut(): void {
    this.#producer.close().catch(() => {});
    // Closing waits for what is unsent.
    for (const socket of this.#sockets) socket.destroy();
  }
}
