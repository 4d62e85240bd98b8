/**
 * One life of the client library's producer: its connections, its metadata, its idempotent identity. After any
 * failure it is cut and another one takes its place, so nothing hangs on the state that the failure left. The library
 * (2.12.1, tried against Kafka 4.3) gives up its identity after a failed send itself, and numbers rightly with the next
 * one; what it keeps is a connection to a broker that hangs, and the order in which it asks the brokers.
 */
import { isIP } from 'node:net';
import {
  type Connection,
  compatibilityPartitioner,
  type MessageToProduce,
  Producer,
} from '@platformatic/kafka';
import type { Message } from './messages.ts';
import type { KafkaSettings } from './options.ts';
import { saslOptions } from './sasl.ts';

/** Leaders move with an error, which ends the link; only added partitions are found by this. */
const metadataMaxAgeMs = 30_000;

export interface LinkOptions {
  /** Which of the brokers is asked first: one that hangs must not be the first one for ever. */
  readonly turn: number;
  /** Whether the broker refused the last credential. */
  readonly refresh: boolean;
}

export class Link {
  readonly #producer: Producer<Buffer, Buffer, Buffer, Buffer>;
  readonly #connections = new Set<Connection>();
  /** When the first of its sessions is to be replaced; ms since the epoch. */
  #endsAt = Number.POSITIVE_INFINITY;

  constructor(settings: KafkaSettings, { turn, refresh }: LinkOptions) {
    const { brokers, tls, sasl, timeoutMs } = settings;
    const first = turn % brokers.length;
    this.#producer = new Producer({
      clientId: settings.clientId,
      bootstrapBrokers: [...brokers.slice(first), ...brokers.slice(0, first)],
      connectTimeout: Math.min(settings.connectTimeoutMs, timeoutMs),
      requestTimeout: timeoutMs,
      // What the broker waits for its replicas: it should say so before we stop listening.
      timeout: Math.ceil(timeoutMs / 2),
      metadataMaxAge: metadataMaxAgeMs,
      // Retrying is the emitter's. A number would not do: for an idempotent producer, 0 means "for ever" (2.12.1).
      retries: false,
      repeatOnStaleMetadata: false,
      autocreateTopics: false,
      idempotent: true,
      compression: settings.compression,
      partitioner,
      ...(tls !== undefined && {
        tls,
        // The name for SNI and for the certificate's check; an address is no name.
        tlsServerName: tls.servername ?? !brokers.some((broker) => isIP(hostOf(broker)) !== 0),
      }),
      ...(sasl !== undefined && {
        sasl: saslOptions(sasl, refresh, (endsAt) => {
          this.#endsAt = Math.min(this.#endsAt, endsAt);
        }),
      }),
    });
    this.#producer.connections.on('connecting', ({ connection }) => {
      this.#connections.add(connection);
      connection.once('close', () => this.#connections.delete(connection));
      // The library listens once (2.12.1). A connection that fails again, such as one whose credential was refused and
      // that is then reset, must not be an 'error' event that nobody hears: that ends the process.
      connection.on('error', () => {});
    });
  }

  /** Whether a credential should be given anew before the next request. */
  get stale(): boolean {
    return Date.now() >= this.#endsAt;
  }

  /** Resolves once all in-sync replicas have the messages. Rejects with the library's errors, or the signal's reason. */
  async send(messages: Message[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#hold(true);
    const sent = this.#producer.send({ messages });
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      sent
        .then(() => resolve(), reject)
        .finally(() => {
          signal.removeEventListener('abort', onAbort);
        });
    });
    this.#hold(false);
  }

  /** Lets go of everything at once; a send that is under way rejects. */
  cut(): void {
    this.#producer.close().catch(() => {});
    // Closing waits for what is unsent, and does not know connections that have failed.
    for (const { socket } of this.#connections) socket?.destroy();
  }

  /** Only a connection with a request under way keeps the process alive. */
  #hold(alive: boolean): void {
    for (const { socket } of this.#connections) {
      if (alive) socket?.ref();
      else socket?.unref();
    }
  }
}

/**
 * Where Kafka's own clients put a key, so that producers in other languages put a tenant into the same partition. The
 * library's default reads the hash as unsigned where they mask its sign (2.12.1), which differs unless the number of
 * partitions is a power of two.
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

/** By identity: a batch has one key object a tenant, and the hash takes longer than the rest of a message. */
const hashes = new WeakMap<Buffer, number>();

function hostOf(broker: string): string {
  return broker.slice(0, broker.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
}
