import { Counter, Gauge, Histogram } from 'prom-client';
import type { IngestBatch, IngestRange, KafkaIngestObserver } from '../ingest/kafka/observer.ts';
import type { KafkaIngestStatus, PartitionStatus } from '../ingest/kafka/status.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** An ingest, as far as the gauges read it. */
interface WatchedIngest {
  status(): KafkaIngestStatus;
}

/**
 * Metrics of the ingest. Pass them to the ingest as `observer`, and the ingest to {@link watch}. The gauges cover the
 * partitions that this replica reads; those of all replicas together cover the topics.
 */
export class KafkaMetrics implements KafkaIngestObserver {
  readonly #batches: Histogram;
  readonly #commits: Histogram;
  readonly #rebalances: Counter;
  readonly #lost: Counter;
  readonly #problems: Counter;
  readonly #retries: Counter;
  #ingest: WatchedIngest | undefined;

  constructor({ registry }: Pick<ServiceMetrics, 'registry'>) {
    const registers = [registry];
    this.#batches = new Histogram({
      name: 'tallystick_kafka_batch_messages',
      help: 'Messages of each range of a partition that a transaction has stored',
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000],
      registers,
    });
    this.#commits = new Histogram({
      name: 'tallystick_kafka_commit_duration_seconds',
      help: 'From the first attempt to store a range to its commit, retries included',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
    const counter = (name: string, help: string) => new Counter({ name, help, registers });
    this.#rebalances = counter(
      'tallystick_kafka_rebalances_total',
      'Assignments of partitions to this replica',
    );
    this.#lost = counter(
      'tallystick_kafka_lost_messages_total',
      'Offsets that the broker deleted before they were read',
    );
    this.#problems = counter(
      'tallystick_kafka_problems_total',
      'Errors of brokers, consumer group or store that the ingest has met',
    );
    this.#retries = new Counter({
      name: 'tallystick_kafka_retries_total',
      help: 'Transactions of ranges that were tried again',
      labelNames: ['reason'],
      registers,
    });
    this.#addGauges(registry);
  }

  /** Sets the ingest whose status the gauges show. */
  watch(ingest: WatchedIngest): void {
    this.#ingest = ingest;
  }

  onBatch({ items, durationMs }: IngestBatch): void {
    this.#batches.observe(items);
    this.#commits.observe(durationMs / 1_000);
  }

  onLost({ from, next }: IngestRange): void {
    this.#lost.inc(next - from);
  }

  onRebalance(): void {
    this.#rebalances.inc();
  }

  onRetry(reason: string): void {
    this.#retries.inc({ reason });
  }

  onProblem(): void {
    this.#problems.inc();
  }

  #addGauges(registry: ServiceMetrics['registry']): void {
    const status = () => this.#ingest?.status();
    const partitionGauge = (
      name: string,
      help: string,
      read: (partition: PartitionStatus) => number | undefined,
    ) =>
      new Gauge({
        name,
        help,
        labelNames: ['topic', 'partition'],
        registers: [registry],
        collect() {
          // Partitions move between replicas, and only the one that reads a partition shows it.
          this.reset();
          for (const partition of status()?.partitions ?? []) {
            const value = read(partition);
            if (value !== undefined)
              this.set({ topic: partition.topic, partition: partition.partition }, value);
          }
        },
      });
    partitionGauge(
      'tallystick_kafka_lag_messages',
      'Messages in the log that are not stored',
      ({ lag }) => lag,
    );
    partitionGauge(
      'tallystick_kafka_position',
      'Offset of the first message that is not stored',
      ({ position }) => position,
    );
    partitionGauge(
      'tallystick_kafka_stopped',
      '1 for a partition that has stopped until an operator acts',
      ({ stopped }) => (stopped === undefined ? 0 : 1),
    );
    new Gauge({
      name: 'tallystick_kafka_obstacles',
      help: 'Reasons why messages are not stored now; /ready shows them',
      registers: [registry],
      collect() {
        this.set(status()?.notReadyReasons.length ?? 0);
      },
    });
  }
}
