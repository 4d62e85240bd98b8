import type { Socket } from 'node:net';
/**
 * One producer of the client library with its connections, metadata and idempotent producer id. After any failure the transport
 * destroys the session and creates another one, so that no state of the failed one remains. The library (2.12.1, tested with
 * Kafka 4.3) itself gets a new producer id after a failed send and numbers correctly from there. But it keeps a connection to a
 * broker that hangs, and always asks the brokers in the same order.
 */
import { isIP } from 'node:net';
import {
  type Connection,
  compatibilityPartitioner,
  type MessageToProduce,
  Producer,
} from '@platformatic/kafka';
import { abortable } from '../../time-limit.ts';
import type { Message } from './messages.ts';
import type { KafkaSettings } from './options.ts';
import { saslOptions } from './sasl.ts';

/** A moved partition leader causes an error, which ends the session. This interval only serves to find added partitions. */
const metadataMaxAgeMs = 30_000;

export interface SessionOptions {
  /** Index (modulo their number) of the broker to ask first. It changes, so that a broker that hangs is not always first. */
  readonly firstBroker: number;
  /** Whether the broker refused the last credential. */
  readonly refresh: boolean;
}

export class KafkaSession {
  readonly #producer: Producer<Buffer, Buffer, Buffer, Buffer>;
  readonly #connections = new Set<Connection>();
  /** Sockets that are connecting and have a listener that applies {@link #keepsAlive}. */
  readonly #connecting = new WeakSet<Socket>();
  #keepsAlive = false;
  /** When the first authenticated connection must be replaced; milliseconds since the epoch. */
  #expiresAt = Number.POSITIVE_INFINITY;

  constructor(settings: KafkaSettings, { firstBroker, refresh }: SessionOptions) {
    const { brokers, tls, sasl, timeoutMs } = settings;
    const first = firstBroker % brokers.length;
    this.#producer = new Producer({
      clientId: settings.clientId,
      bootstrapBrokers: [...brokers.slice(first), ...brokers.slice(0, first)],
      connectTimeout: Math.min(settings.connectTimeoutMs, timeoutMs),
      requestTimeout: timeoutMs,
      // How long the broker waits for its replicas. It must respond before this client's own timeout.
      timeout: Math.ceil(timeoutMs / 2),
      metadataMaxAge: metadataMaxAgeMs,
      // The emitter retries. Must be false: the library (2.12.1) takes 0 as "without limit" for an idempotent producer.
      retries: false,
      repeatOnStaleMetadata: false,
      autocreateTopics: false,
      idempotent: true,
      compression: settings.compression,
      partitioner,
      ...(tls !== undefined && {
        tls,
        // The host name for SNI and for the certificate's check. An IP address is not a host name.
        tlsServerName: tls.servername ?? !brokers.some((broker) => isIP(hostOf(broker)) !== 0),
      }),
      ...(sasl !== undefined && {
        sasl: saslOptions(sasl, refresh, (expiresAt) => {
          this.#expiresAt = Math.min(this.#expiresAt, expiresAt);
        }),
      }),
    });
    this.#producer.connections.on('connecting', ({ connection }) => {
      this.#connections.add(connection);
      connection.once('close', () => this.#connections.delete(connection));
      // The library (2.12.1) handles only the first 'error' event of a connection. A second one, for example a reset after a
      // refused credential, would end the process if it had no handler.
      connection.on('error', () => {});
    });
  }

  /** Whether the session must be replaced before the next request, because its authentication ends soon. */
  get expired(): boolean {
    return Date.now() >= this.#expiresAt;
  }

  /** Resolves when all in-sync replicas have the messages. Rejects with an error of the library, or the signal's reason. */
  async send(messages: Message[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#keepProcessAlive(true);
    await abortable(this.#producer.send({ messages }), signal);
    this.#keepProcessAlive(false);
  }

  /** Closes all connections immediately. A pending send rejects. */
  destroy(): void {
    this.#producer.close().catch(() => {});
    // close() waits for unsent data, and does not know connections that have failed.
    for (const { socket } of this.#connections) socket?.destroy();
  }

  /** A connection keeps the process alive only while a request is pending. */
  #keepProcessAlive(alive: boolean): void {
    this.#keepsAlive = alive;
    for (const { socket } of this.#connections) {
      if (socket === undefined || this.#connecting.has(socket)) continue;
      if (!socket.connecting) {
        this.#applyTo(socket);
        continue;
      }
      // Node.js adds a listener for each ref() and unref() of a socket that is not connected yet, and warns of the eleventh.
      this.#connecting.add(socket);
      socket.once('connect', () => {
        this.#connecting.delete(socket);
        this.#applyTo(socket);
      });
    }
  }

  #applyTo(socket: Socket): void {
    if (this.#keepsAlive) socket.ref();
    else socket.unref();
  }
}

/**
 * Assigns a key to the same partition as Kafka's own clients, so that producers in other languages send a tenant's events to the
 * same partition. The library's default partitioner (2.12.1) reads the hash as an unsigned number, whereas Kafka's clients
 * clear the sign bit. The results differ unless the number of partitions is a power of two.
 */
function partitioner(message: MessageToProduce, key: Buffer | undefined): number {
  if (key === undefined) return 0;
  let hash = hashes.get(key);
  if (hash === undefined) {
    hash = compatibilityPartitioner(message, key);
    hashes.set(key, hash);
  }
  return hash;
}

/** Hash by key object: a batch has one object per tenant, and hashing takes longer than all other work for a message. */
const hashes = new WeakMap<Buffer, number>();

function hostOf(broker: string): string {
  return broker.slice(0, broker.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
}
