/**
 * Writes batches to a Kafka topic. When the transport reports an event as `accepted`, it is on all in-sync replicas of its
 * partition. A crash before that loses nothing here: the emitter still has the batch and sends it again with the same ids.
 */
import type { ItemResult } from '@tallystick/protocol';
import { type Batch, type Transport, TransportError } from '../transport.ts';
import { readKafkaError } from './failure.ts';
import { type Message, packBatch, splitBySize } from './messages.ts';
import { type KafkaSettings, type KafkaTransportOptions, readKafkaOptions } from './options.ts';
import { KafkaSession } from './session.ts';

/**
 * Creates a transport that sends batches to a Kafka topic: idempotent, acknowledged by all in-sync replicas, and in order for
 * each tenant. It connects when there is a batch to send, and holds no other events than those of this batch.
 *
 * @throws {AuditError} `CONFIG_INVALID` for an invalid option
 */
export function kafkaTransport(options: KafkaTransportOptions): Transport {
  return new KafkaTransport(readKafkaOptions(options));
}

class KafkaTransport implements Transport {
  readonly #settings: KafkaSettings;
  /** Created by the first send, and again after a failure. */
  #session: KafkaSession | undefined;
  #failures = 0;
  #credentialRefused = false;
  #closed = false;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
  }

  async send(batch: Batch, signal: AbortSignal): Promise<readonly ItemResult[]> {
    const { messages, auditIds } = packBatch(batch, this.#settings.topic);
    // One request after the other: if a later one succeeded where an earlier one failed, a tenant's events would be reordered.
    for (const request of splitBySize(messages, this.#settings.maxRequestBytes)) {
      await this.#write(request, signal);
    }
    return auditIds.map((audit_id) => ({ status: 'accepted', audit_id }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endSession();
  }

  async #write(request: Message[], signal: AbortSignal): Promise<void> {
    const { topic, timeoutMs } = this.#settings;
    if (this.#closed) throw new TransportError('the transport is closed', { retryable: true });
    if (this.#session?.expired === true) this.#endSession();
    this.#session ??= new KafkaSession(this.#settings, {
      firstBroker: this.#failures,
      refresh: this.#credentialRefused,
    });
    try {
      await this.#session.send(request, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      this.#credentialRefused = false;
    } catch (thrown) {
      this.#endSession();
      const failure = readKafkaError(thrown, topic, timeoutMs);
      this.#credentialRefused = failure.unauthorized;
      // A batch that is too large is not the broker's fault, so another broker need not be tried.
      if (!failure.tooLarge) this.#failures++;
      throw failure;
    }
  }

  #endSession(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }
}
