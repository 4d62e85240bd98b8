import { compatibilityPartitioner, Producer } from '@platformatic/kafka';
import type { KafkaConnection } from '../../kafka-client/connection.ts';
import type { GatewayMessage } from './messages.ts';

/**
 * A producer of the client library for the gateway's topic. After any failure, the gateway discards it and makes another
 * one: a write that failed may leave the producer's sequence numbers ahead of the broker's (library version 2.12), and a
 * new producer starts from a known state.
 */
export class GatewayProducer {
  readonly #producer: Producer<Buffer, Buffer, Buffer, Buffer>;
  readonly #topic: string;
  readonly #sockets = new Set<{ destroy(): void }>();

  /** @param acknowledgeMs how long the broker may take to acknowledge a write */
  constructor(connection: KafkaConnection, topic: string, acknowledgeMs: number) {
    this.#topic = topic;
    this.#producer = new Producer({
      clientId: 'tallystick',
      ...connection,
      idempotent: true,
      // How long the broker waits for its replicas. It must report their failure before the gateway stops waiting for it.
      timeout: Math.ceil(acknowledgeMs / 2),
      requestTimeout: acknowledgeMs,
      connectTimeout: Math.ceil(acknowledgeMs / 2),
      // The gateway retries itself. For an idempotent producer, the number 0 would mean "without end" (2.12).
      retries: false,
      repeatOnStaleMetadata: false,
      autocreateTopics: false,
      // The library's default partitioner reads Kafka's hash as unsigned (2.12), unlike other clients: the same tenant
      // would go to another partition than theirs.
      partitioner: compatibilityPartitioner,
    });
    this.#producer.connections.on('connecting', ({ connection: made }) => {
      // The library listens for one error of a connection (2.12). A second one would end the process.
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

  /** Resolves if the brokers know the topic and each of its partitions has a leader. */
  async probe(): Promise<void> {
    await this.#producer.metadata({ topics: [this.#topic], forceUpdate: true, retries: 0 });
  }

  /** Closes all connections at once; a write in flight rejects. */
  discard(): void {
    this.#producer.close().catch(() => {});
    // `close` alone would wait for messages that are not sent yet.
    for (const socket of this.#sockets) socket.destroy();
  }
}
