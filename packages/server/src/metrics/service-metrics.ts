import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { ServiceObserver } from '../observer.ts';

type ObservedBatch = Parameters<Required<ServiceObserver>['onCommit']>[0];
type Outcome = Parameters<Required<ServiceObserver>['onOutcome']>[0];
type WebhookOutcome = Parameters<Required<ServiceObserver>['onWebhook']>[0];
type WebhookEnd = Parameters<Required<ServiceObserver>['onWebhooksRetired']>[0];
type Eviction = Parameters<Required<ServiceObserver>['onEviction']>[0];

/**
 * Counters and histograms of the service. Pass it as `observer` when the service is opened. Events are counted after the
 * commit that stored them. No metric has a tenant label: a scraper must not learn the tenants' names.
 */
export class ServiceMetrics implements ServiceObserver {
  readonly registry: Registry = new Registry();
  readonly #events: Counter;
  readonly #deadLetters: Counter;
  readonly #commits: Histogram;
  readonly #batches: Histogram;
  readonly #retries: Counter;
  readonly #evictions: Counter;
  readonly #webhooks: Counter;
  readonly #retiredWebhooks: Counter;
  readonly #mismatches: Counter;
  readonly #faults: Counter;
  readonly #http: Histogram<'method' | 'route' | 'status'>;
  readonly #readAuditFailures: Counter;

  constructor(
    options: { /** Adds metrics of the process itself. @defaultValue true */ process?: boolean } = {},
  ) {
    const registers = [this.registry];
    if (options.process !== false) collectDefaultMetrics({ register: this.registry });
    this.#events = new Counter({
      name: 'tallystick_events_total',
      help: 'Events by outcome, counted after the commit',
      labelNames: ['status'],
      registers,
    });
    for (const status of ['chained', 'duplicate', 'conflict', 'rejected']) this.#events.inc({ status }, 0);
    this.#deadLetters = new Counter({
      name: 'tallystick_dead_letters_total',
      help: 'Refused events that were stored as dead letters, by the code of the refusal, counted after the commit',
      labelNames: ['reason'],
      registers,
    });
    this.#commits = new Histogram({
      name: 'tallystick_commit_duration_seconds',
      help: 'Duration of the transactions that extend chains',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
    this.#batches = new Histogram({
      name: 'tallystick_commit_batch_events',
      help: 'Events of each transaction that extends chains',
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000],
      registers,
    });
    this.#retries = new Counter({
      name: 'tallystick_commit_retries_total',
      help: 'Transactions that failed and were tried again',
      labelNames: ['reason'],
      registers,
    });
    this.#evictions = new Counter({
      name: 'tallystick_lock_evictions_total',
      help: 'Database sessions that the service ended because they held a lock and made no progress',
      labelNames: ['reason'],
      registers,
    });
    for (const reason of ['frozen', 'too_long']) this.#evictions.inc({ reason }, 0);
    this.#webhooks = new Counter({
      name: 'tallystick_webhook_attempts_total',
      help: 'Attempts to deliver messages about approvals, by outcome; dead: the service has given up',
      labelNames: ['outcome'],
      registers,
    });
    for (const outcome of ['delivered', 'failed', 'dead']) this.#webhooks.inc({ outcome }, 0);
    this.#retiredWebhooks = new Counter({
      name: 'tallystick_webhooks_retired_total',
      help: 'Undelivered messages about approvals; abandoned: no replica has their endpoint; pruned: deleted some time after they were given up',
      labelNames: ['outcome'],
      registers,
    });
    for (const outcome of ['abandoned', 'pruned']) this.#retiredWebhooks.inc({ outcome }, 0);
    this.#mismatches = new Counter({
      name: 'tallystick_approval_mismatches_total',
      help: 'Approvals, rules and operations that were not used because they are not what their records say',
      registers,
    });
    this.#faults = new Counter({
      name: 'tallystick_background_errors_total',
      help: 'Errors of background work: making partitions, signing checkpoints',
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
  }

  onCommit({ events, durationMs }: ObservedBatch): void {
    this.#commits.observe(durationMs / 1_000);
    this.#batches.observe(events);
  }

  onOutcome(status: Outcome, count: number): void {
    this.#events.inc({ status }, count);
  }

  onDeadLetter(reason: string): void {
    this.#deadLetters.inc({ reason });
  }

  onRetry(reason: string): void {
    this.#retries.inc({ reason });
  }

  onEviction({ reason }: Eviction): void {
    this.#evictions.inc({ reason });
  }

  onWebhook(outcome: WebhookOutcome): void {
    this.#webhooks.inc({ outcome });
  }

  onWebhooksRetired(outcome: WebhookEnd, count: number): void {
    this.#retiredWebhooks.inc({ outcome }, count);
  }

  onApprovalMismatch(): void {
    this.#mismatches.inc();
  }

  onBackgroundError(): void {
    this.#faults.inc();
  }

  observeRequest(method: string, route: string, status: number, seconds: number): void {
    this.#http.observe({ method, route, status: String(status) }, seconds);
  }

  countReadAuditFailure(): void {
    this.#readAuditFailures.inc();
  }
}
