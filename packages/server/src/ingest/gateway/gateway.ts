import type { AcceptedResult } from '@tallystick/protocol';
import type { ServerError } from '../../errors.ts';
import { toBrokerError } from '../../kafka-client/broker-error.ts';
import type { KafkaConnection } from '../../kafka-client/connection.ts';
import type { Admission } from '../admit/admission.ts';
import { defaultTopics } from '../kafka/topics/plan.ts';
import type { Submission, SubmissionResult } from '../submission.ts';
import { GatewayHealth } from './health.ts';
import { toMessages } from './messages.ts';
import { GatewayProducer } from './producer.ts';
import { closingError, reasonOf, WriteQueue } from './write-queue.ts';

/** Which cluster and topic take the events of the HTTP API. */
export interface KafkaGatewayOptions {
  readonly connection: KafkaConnection;
  /** The topic of the gateway. Only the service may write to it. @defaultValue 'audit.gateway' */
  readonly topic?: string | undefined;
  /** How long the broker may take to acknowledge a write, all attempts included, ms. @defaultValue 10000 */
  readonly acknowledgeMs?: number | undefined;
  /** Bytes that may wait for the broker before the service refuses further events. @defaultValue 67108864 */
  readonly maxQueuedBytes?: number | undefined;
  /** How often to probe a broker after a failure, ms. @defaultValue 1000 */
  readonly probeMs?: number | undefined;
  readonly observer?: KafkaGatewayObserver | undefined;
}

/** What an application can observe of the gateway, for metrics and logs. Methods must return quickly and must not throw. */
export interface KafkaGatewayObserver {
  /** Events were answered, after the broker's acknowledgement. */
  onOutcome?(status: 'accepted' | 'rejected', count: number): void;
  /** The broker did not acknowledge a write. */
  onFailure?(error: ServerError): void;
}

/** What the gateway needs of the audit service. */
export interface GatewayTarget {
  readonly admission: Admission;
  /** Each returns reasons why the service is not ready; the gateway adds one. */
  readonly readinessChecks: Set<() => readonly string[]>;
  /** Chains events at once; see `AuditService.submit`. */
  submit(submission: Submission): Promise<SubmissionResult[]>;
}

/**
 * Takes the events of the HTTP API and writes them to a Kafka topic instead of the chain: it admits them, and answers once
 * all in-sync replicas have them. The ingest chains them like the events of any topic, with the name of their submitter.
 *
 * When `accept` resolves, the events are durable in Kafka. Before that, a crash loses what waits in memory, and no client
 * was told that it is safe.
 */
export class KafkaGateway {
  readonly #target: GatewayTarget;
  readonly #options: KafkaGatewayOptions;
  readonly #writes: WriteQueue;
  readonly #health: GatewayHealth;
  #closed = false;
  readonly #readinessCheck = () => {
    const { problem } = this.#health;
    return problem === undefined ? [] : [problem];
  };

  /** Connects in the background. The service is not ready before that, and while the broker can't be written to. */
  constructor(target: GatewayTarget, options: KafkaGatewayOptions) {
    this.#target = target;
    this.#options = options;
    const { connection, topic = defaultTopics.gateway, acknowledgeMs = 10_000, probeMs = 1_000 } = options;
    this.#writes = new WriteQueue({
      connection,
      topic,
      acknowledgeMs,
      onWritten: () => this.#health.succeeded(),
      onFailed: (failure) => {
        options.observer?.onFailure?.(failure);
        this.#health.failed(failure);
      },
    });
    this.#health = new GatewayHealth({
      initialProblem: `the gateway has not reached the topic ${topic} yet`,
      describe: (error) => `the gateway can't write to ${topic} (${reasonOf(toBrokerError(error))})`,
      isBusy: () => this.#writes.busy,
      intervalMs: probeMs,
      probe: async () => {
        const producer = new GatewayProducer(connection, topic, acknowledgeMs);
        await producer.probe().finally(() => producer.discard());
      },
    });
    target.readinessChecks.add(this.#readinessCheck);
  }

  /** Whether so many bytes wait for the broker that the service must refuse further events. */
  get full(): boolean {
    return this.#writes.queuedBytes >= (this.#options.maxQueuedBytes ?? 64 * 1024 * 1024);
  }

  /**
   * Writes events to the gateway's topic. An event that admission refuses is written too, with the reasons, and the ingest
   * keeps it as a dead letter. A refused event that is too large for a message is stored at once.
   *
   * @returns one result for each event, once the broker has all of them
   * @throws {ServerError} `BROKER_UNAVAILABLE`, `BROKER_REFUSED`, `CLOSING`, and errors of `AuditService.submit`: some of
   *   the events may be written; the client may submit all of them again
   */
  async accept(submission: Submission): Promise<(AcceptedResult | SubmissionResult)[]> {
    if (this.#closed) throw closingError();
    const { messages, results, oversized } = await toMessages(submission, this.#target.admission);
    const stored = oversized.length === 0 ? [] : await this.#store(submission, oversized);
    if (messages.length > 0) await this.#writes.write(messages);
    const answers: (AcceptedResult | SubmissionResult)[] = results;
    for (const [at, index] of oversized.entries()) answers[index] = stored[at]!;
    for (const status of ['accepted', 'rejected'] as const) {
      const count = answers.filter((answer) => answer.status === status).length;
      if (count > 0) this.#options.observer?.onOutcome?.(status, count);
    }
    return answers;
  }

  /** Accepts nothing more, and resolves when everything that was accepted is written or has failed. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#health.close();
    await this.#writes.close();
    this.#target.readinessChecks.delete(this.#readinessCheck);
  }

  /** Stores some events of a submission without Kafka. */
  #store(submission: Submission, indexes: readonly number[]): Promise<SubmissionResult[]> {
    const { delivery, events } = submission;
    const sequences = delivery?.sequences;
    return this.#target.submit({
      ...submission,
      events: indexes.map((index) => events[index]!),
      delivery: delivery && {
        producer_id: delivery.producer_id,
        service: delivery.service,
        ...(sequences !== undefined && { sequences: indexes.map((index) => sequences[index]!) }),
      },
    });
  }
}
