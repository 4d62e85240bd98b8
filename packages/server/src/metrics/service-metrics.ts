import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { AuditServiceOptions } from '../app.ts';

type Hooks = Required<
  Pick<
    AuditServiceOptions,
    'onCommit' | 'onOutcome' | 'onDeadLetter' | 'onRetry' | 'onEviction' | 'onBackgroundError'
  >
>;

/**
 * What the service counts. Counters of events count what was stored, after its commit, never what was tried. Nothing is
 * labelled by tenant: whoever may scrape need not know who the tenants are.
 */
export class ServiceMetrics {
  readonly registry: Registry = new Registry();
  /** For {@link AuditServiceOptions}: spread them into the options that the service is opened with. */
  readonly hooks: Hooks;
  readonly #http: Histogram<'method' | 'route' | 'status'>;
  readonly #readAuditFailures: Counter;

  constructor(options: { /** Metrics of the process itself. @defaultValue true */ process?: boolean } = {}) {
    const registers = [this.registry];
    if (options.process !== false) collectDefaultMetrics({ register: this.registry });
    const events = new Counter({
      name: 'tallystick_events_total',
      help: 'Events by what became of them, counted after the commit',
      labelNames: ['status'],
      registers,
    });
    for (const status of ['chained', 'duplicate', 'conflict', 'rejected']) events.inc({ status }, 0);
    const deadLetters = new Counter({
      name: 'tallystick_dead_letters_total',
      help: 'Events that were refused and kept as dead letters, by the code of the refusal, counted after the commit',
      labelNames: ['reason'],
      registers,
    });
    const commits = new Histogram({
      name: 'tallystick_commit_duration_seconds',
      help: 'Duration of the transactions that extend chains',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
    const batches = new Histogram({
      name: 'tallystick_commit_batch_events',
      help: 'Events of each transaction that extends chains',
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000],
      registers,
    });
    const retries = new Counter({
      name: 'tallystick_commit_retries_total',
      help: 'Transactions that were tried again',
      labelNames: ['reason'],
      registers,
    });
    const evictions = new Counter({
      name: 'tallystick_lock_evictions_total',
      help: 'Sessions of the store that were ended because they held a lock and had stopped',
      labelNames: ['reason'],
      registers,
    });
    for (const reason of ['frozen', 'too_long']) evictions.inc({ reason }, 0);
    const faults = new Counter({
      name: 'tallystick_background_errors_total',
      help: 'Faults of the work in the background: partitions, checkpoints',
      registers,
    });
    this.#http = new Histogram({
      name: 'tallystick_http_request_duration_seconds',
      help: 'HTTP requests by method, route and status',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.#readAuditFailures = new Counter({
      name: 'tallystick_read_audit_failures_total',
      help: 'Reads of a trail that could not be chained as audit.read or audit.exported',
      registers,
    });
    this.hooks = {
      onCommit: (batch) => {
        commits.observe(batch.durationMs / 1_000);
        batches.observe(batch.events);
      },
      onOutcome: (status, count) => events.inc({ status }, count),
      onDeadLetter: (reason) => deadLetters.inc({ reason }),
      onRetry: (reason) => retries.inc({ reason }),
      onEviction: ({ reason }) => evictions.inc({ reason }),
      onBackgroundError: () => faults.inc(),
    };
  }

  observeRequest(method: string, route: string, status: number, seconds: number): void {
    this.#http.observe({ method, route, status: String(status) }, seconds);
  }

  countReadAuditFailure(): void {
    this.#readAuditFailures.inc();
  }
}
