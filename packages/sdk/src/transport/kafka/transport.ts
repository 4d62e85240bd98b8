/**
 * Writes batches to a Kafka topic. What it reports as `accepted` is on all in-sync replicas of its partition; a crash
 * before that loses nothing here, since the emitter still holds the batch and sends it again under the same identities.
 */
import { type Batch, type ItemResult, type Transport, TransportError } from '../transport.ts';
import { readKafkaError } from './failure.ts';
import { Link } from './link.ts';
import { type Message, packBatch, splitBySize } from './messages.ts';
import { type KafkaSettings, type KafkaTransportOptions, readKafkaOptions } from './options.ts';

/**
 * Sends batches to a Kafka topic: idempotent, acknowledged by all in-sync replicas, in order for each tenant. It holds
 * no more than the batch that is under way, and connects when there is something to send.
 *
 * @throws {AuditError} `CONFIG_INVALID` for options that make no sense
 */
export function kafkaTransport(options: KafkaTransportOptions): Transport {
  return new KafkaTransport(readKafkaOptions(options));
}

class KafkaTransport implements Transport {
  readonly #settings: KafkaSettings;
  /** Made at the first send, and anew after a failure. */
  #link: Link | undefined;
  #failures = 0;
  #refused = false;
  #closed = false;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
  }

  async send(batch: Batch, signal: AbortSignal): Promise<readonly ItemResult[]> {
    const { messages, auditIds } = packBatch(batch, this.#settings.topic);
    // One after the other: were a later one to arrive where an earlier one failed, a tenant's order would be lost.
    for (const request of splitBySize(messages, this.#settings.maxRequestBytes)) {
      await this.#write(request, signal);
    }
    return auditIds.map((audit_id) => ({ status: 'accepted', audit_id }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cut();
  }

  async #write(request: Message[], signal: AbortSignal): Promise<void> {
    const { topic, timeoutMs } = this.#settings;
    if (this.#closed) throw new TransportError('the transport is closed', { retryable: true });
    if (this.#link?.stale === true) this.#cut();
    this.#link ??= new Link(this.#settings, { turn: this.#failures, refresh: this.#refused });
    try {
      await this.#link.send(request, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      this.#refused = false;
    } catch (thrown) {
      this.#cut();
      const failure = readKafkaError(thrown, topic, timeoutMs);
      this.#refused = failure.unauthorized;
      // Some batches are too large for any broker.
      if (!failure.tooLarge) this.#failures++;
      throw failure;
    }
  }

  #cut(): void {
    this.#link?.cut();
    this.#link = undefined;
  }
}
