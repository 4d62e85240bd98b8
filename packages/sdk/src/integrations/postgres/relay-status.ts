import type { OutboxContents } from './outbox-store.ts';

/** What a relay has done since it was created. */
export interface RelayCounts {
  /** Events that the service has: newly chained, already chained, or accepted by its queue. */
  readonly delivered: number;
  /** Delivered events that the service already had. */
  readonly duplicates: number;
  /** Events that became dead letters. */
  readonly refused: number;
  /** Tries after the first one. */
  readonly retries: number;
  /** Whether the last try failed, at the service or in the database. */
  readonly failing: boolean;
}

/** The state of an outbox and of one of its relays. */
export interface OutboxStatus extends OutboxContents, RelayCounts {}

/** The state of an outbox in Prometheus' text format 0.0.4, with the label `service`. */
export function relayExposition(status: OutboxStatus, service: string): string {
  const label = service.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const families = [
    ['audit_outbox_size', 'gauge', 'Events waiting in the outbox, counted up to 100000', status.waiting],
    ['audit_outbox_lag_seconds', 'gauge', 'Age of the oldest waiting event', status.lagSeconds],
    ['audit_outbox_dead_letters', 'gauge', 'Refused events, counted up to 100000', status.deadLetters],
    ['audit_outbox_delivered_total', 'counter', 'Events that the service has accepted', status.delivered],
    ['audit_outbox_refused_total', 'counter', 'Events that became dead letters', status.refused],
    ['audit_outbox_retries_total', 'counter', 'Tries after the first one', status.retries],
    ['audit_outbox_failing', 'gauge', '1 while tries fail, else 0', Number(status.failing)],
  ] as const;
  return families
    .map(
      ([name, type, help, value]) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}{service="${label}"} ${value}\n`,
    )
    .join('');
}
