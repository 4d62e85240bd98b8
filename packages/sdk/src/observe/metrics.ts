/** One sample in the sense of Prometheus: a name, labels and a value. */
export interface MetricSample {
  readonly name: string;
  readonly labels: { readonly [label: string]: string };
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

/** Upper bounds of the histogram in seconds. A send normally takes milliseconds, and at worst the transport's timeout. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];

/** The counts of the events' outcomes; see `Counters`. */
interface CountedEvents {
  readonly buffered: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly droppedByReason: ReadonlyMap<string, number>;
  readonly retries: number;
  readonly batchesFailed: number;
}

/** The queue of events to send; see `Outbox`. */
interface WaitingEvents {
  readonly size: number;
  readonly spooledEvents: number;
  readonly spooledBytes: number;
  readonly spoolCapacityBytes: number;
  readonly oldest: number | undefined;
}

export interface MetricSources {
  readonly service: string;
  /** Events that memory may hold. */
  readonly capacity: number;
  readonly counters: CountedEvents;
  readonly outbox: WaitingEvents;
  /** Whether all tries to send the last batch failed. */
  readonly failing: () => boolean;
  readonly now: () => number;
}

/**
 * The emitter's metrics for Prometheus, with the label `service`. Counters of events count outcomes, not attempts.
 *
 * No Prometheus client library is needed: append the text of {@link exposition} to what the application's own `/metrics`
 * endpoint returns.
 */
export class AuditMetrics {
  readonly #sources: MetricSources;
  readonly #durations: number[] = new Array(buckets.length).fill(0);
  #durationSum = 0;
  #sends = 0;

  constructor(sources: MetricSources) {
    this.#sources = sources;
  }

  /** Adds the duration of one send, successful or not. */
  observeSend(seconds: number): void {
    this.#sends++;
    this.#durationSum += seconds;
    for (let index = 0; index < buckets.length; index++) {
      if (seconds <= buckets[index]!) this.#durations[index]!++;
    }
  }

  /** The current value of every metric. */
  samples(): MetricSample[] {
    return this.#families().flatMap((family) => family.samples);
  }

  /** Prometheus text exposition format 0.0.4. */
  exposition(): string {
    let text = '';
    for (const { name, type, help, samples } of this.#families()) {
      text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
      for (const sample of samples) text += `${sample.name}${labelText(sample.labels)} ${sample.value}\n`;
    }
    return text;
  }

  #families(): Family[] {
    const { counters, outbox, capacity, failing, now } = this.#sources;
    const reasons = Array.from(counters.droppedByReason, ([reason, value]) => ({
      labels: { reason },
      value,
    }));
    const age = outbox.oldest === undefined ? 0 : Math.max(0, now() - outbox.oldest) / 1000;
    return [
      this.#one('audit_events_buffered_total', 'counter', 'Events accepted for delivery', counters.buffered),
      this.#one(
        'audit_events_dropped_total',
        'counter',
        'Events lost because there was no room, or the emitter was closed',
        counters.dropped,
      ),
      this.#family('audit_events_dropped_by_reason_total', 'counter', 'Lost events by reason', reasons),
      this.#one(
        'audit_events_rejected_total',
        'counter',
        'Events refused because of their content',
        counters.rejected,
      ),
      this.#one(
        'audit_events_written_total',
        'counter',
        'Events that the service has accepted',
        counters.delivered,
      ),
      this.#one(
        'audit_batches_failed_total',
        'counter',
        'Batches for which all tries failed',
        counters.batchesFailed,
      ),
      this.#one('audit_batches_retried_total', 'counter', 'Tries after the first one', counters.retries),
      this.#one('audit_buffer_size', 'gauge', 'Events waiting in memory', outbox.size - outbox.spooledEvents),
      this.#one('audit_buffer_capacity', 'gauge', 'Events that memory may hold', capacity),
      this.#one('audit_spool_size', 'gauge', 'Events waiting on disk', outbox.spooledEvents),
      this.#one('audit_spool_bytes', 'gauge', 'Characters of events waiting on disk', outbox.spooledBytes),
      this.#one(
        'audit_spool_capacity_bytes',
        'gauge',
        'Characters of events that may wait on disk; 0 without a spool',
        outbox.spoolCapacityBytes,
      ),
      this.#one('audit_delivery_failing', 'gauge', '1 while batches fail, else 0', Number(failing())),
      this.#one('audit_queue_age_seconds', 'gauge', 'Age of the oldest waiting event', age),
      this.#writeDuration(),
    ];
  }

  #writeDuration(): Family {
    const name = 'audit_write_duration_seconds';
    const bounds = buckets.map((bound, index) => ({
      name: `${name}_bucket`,
      labels: { service: this.#sources.service, le: String(bound) },
      value: this.#durations[index]!,
    }));
    const of = (suffix: string, value: number, labels = {}) => ({
      name: name + suffix,
      labels: { service: this.#sources.service, ...labels },
      value,
    });
    const samples = [
      ...bounds,
      of('_bucket', this.#sends, { le: '+Inf' }),
      of('_sum', this.#durationSum),
      of('_count', this.#sends),
    ];
    return { name, type: 'histogram', help: 'How long sending a batch took', samples };
  }

  #one(name: string, type: Family['type'], help: string, value: number): Family {
    return this.#family(name, type, help, [{ labels: {}, value }]);
  }

  #family(
    name: string,
    type: Family['type'],
    help: string,
    values: readonly { labels: MetricSample['labels']; value: number }[],
  ): Family {
    const { service } = this.#sources;
    const samples = values.map(({ labels, value }) => ({ name, labels: { service, ...labels }, value }));
    return { name, type, help, samples };
  }
}

function labelText(labels: MetricSample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
