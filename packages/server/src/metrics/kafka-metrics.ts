import { Counter, Gauge, Histogram } from 'prom-client';
import type { KafkaIngest } from '../ingest/kafka/ingest.ts';
import type { KafkaIngestHooks, PartitionStatus } from '../ingest/kafka/options.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/**
 * What the ingest counts. Gauges are of the partitions that this replica reads: over all replicas they are the topic's.
 */
export class KafkaMetrics {
  /** For the ingest's options. */
  readonly hooks: Pick<KafkaIngestHooks, 'batch' | 'lost' | 'rebalanced' | 'retry' | 'problem'>;
  #ingest: KafkaIngest | undefined;

  constructor({ registry }: ServiceMetrics) {
    const registers = [registry];
    const batches = new Histogram({
      name: 'tallystick_kafka_batch_messages',
      help: 'Messages of each transaction that stores a range of a partition',
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000],
      registers,
    });
    const commits = new Histogram({
      name: 'tallystick_kafka_commit_duration_seconds',
      help: 'From the first try to store a range to its commit, retries included',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
    const counter = (name: string, help: string) => new Counter({ name, help, registers });
    const rebalances = counter(
      'tallystick_kafka_rebalances_total',
      'Assignments of partitions to this replica',
    );
    const lost = counter(
      'tallystick_kafka_lost_messages_total',
      'Offsets that the broker dropped before they were read',
    );
    const problems = counter(
      'tallystick_kafka_problems_total',
      'Faults of brokers, group or store that the ingest met',
    );
    const retries = new Counter({
      name: 'tallystick_kafka_retries_total',
      help: 'Transactions of ranges that were tried again',
      labelNames: ['reason'],
      registers,
    });
    this.hooks = {
      batch: ({ items, durationMs }) => {
        batches.observe(items);
        commits.observe(durationMs / 1_000);
      },
      lost: ({ from, next }) => lost.inc(next - from),
      rebalanced: () => rebalances.inc(),
      retry: (reason) => retries.inc({ reason }),
      problem: () => problems.inc(),
    };
    this.#addGauges(registry);
  }

  /** Whose state the gauges show from now on. */
  watch(ingest: KafkaIngest): void {
    this.#ingest = ingest;
  }

  #addGauges(registry: ServiceMetrics['registry']): void {
    const status = () => this.#ingest?.status();
    const ofPartitions = (
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
          // Partitions come and go; one that another replica reads is for that one to show.
          this.reset();
          for (const partition of status()?.partitions ?? []) {
            const value = read(partition);
            if (value !== undefined)
              this.set({ topic: partition.topic, partition: partition.partition }, value);
          }
        },
      });
    ofPartitions(
      'tallystick_kafka_lag_messages',
      'Messages in the log and not in the store',
      ({ lag }) => lag,
    );
    ofPartitions(
      'tallystick_kafka_position',
      'Offset of the first message that is not stored',
      ({ position }) => position,
    );
    ofPartitions(
      'tallystick_kafka_stopped',
      '1 for a partition that waits for somebody to look at it',
      ({ stopped }) => (stopped === undefined ? 0 : 1),
    );
    new Gauge({
      name: 'tallystick_kafka_obstacles',
      help: 'Reasons why messages are not stored now; readiness names them',
      registers: [registry],
      collect() {
        this.set(status()?.obstacles.length ?? 0);
      },
    });
  }
}
