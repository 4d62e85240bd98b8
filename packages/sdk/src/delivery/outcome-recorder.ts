import type { ItemError, ItemResult } from '@tallystick/protocol';
import { AuditError, type AuditErrorCode, type ReportError } from '../errors.ts';
import type { PendingEvent } from '../event/pending-event.ts';
import { NotConfiguredError } from '../transport/unconfigured-transport.ts';
import type { Counters } from './counters.ts';
import type { OutboundBatch } from './outbox.ts';

/** Counts the outcome of each event, informs its waiter, and reports faults. */
export class OutcomeRecorder {
  readonly #counters: Counters;
  readonly #report: ReportError;

  constructor(counters: Counters, report: ReportError) {
    this.#counters = counters;
    this.#report = report;
  }

  /** The service returned a result for each event. It keeps rejected events as dead letters, so they are no gap. */
  recordResults(batch: Pick<OutboundBatch, 'events'>, results: readonly ItemResult[]): void {
    for (let index = 0; index < batch.events.length; index++) {
      const event = batch.events[index]!;
      const result = results[index]!;
      if (result.status === 'rejected' || result.status === 'conflict') {
        this.#recordRejection(event, rejectionOf(event, result.status, result.error));
      } else {
        this.#counters.delivered++;
        if (result.status === 'duplicate') this.#counters.duplicates++;
        event.waiter?.resolve(result);
      }
    }
  }

  /** The service will never accept this batch. Its events are lost, and their numbers become a gap. */
  recordRefusal(batch: OutboundBatch, reason: string, cause: unknown): void {
    const unconfigured = cause instanceof NotConfiguredError;
    // A batch without events declares losses, which were reported when they occurred.
    if (batch.events.length === 0) return unconfigured ? undefined : this.recordInternalError(cause);
    const code = unconfigured ? 'NOT_CONFIGURED' : 'BATCH_REFUSED';
    const message = unconfigured
      ? 'events are lost: the emitter has no transport, and TALLYSTICK_URL is not set'
      : `the audit service refuses a batch: ${reason}`;
    for (const event of batch.events) {
      const gapReason = unconfigured ? 'not_configured' : 'batch_refused';
      batch.producer.markLost(event.tenantId, event.sequence, gapReason);
      this.#counters.rejected++;
      event.waiter?.reject(new AuditError(code, message, { ...identityOf(event), cause }));
    }
    const only = batch.events.length === 1 ? identityOf(batch.events[0]!) : {};
    this.#report(new AuditError(code, message, { ...only, events: batch.events.length, cause }));
  }

  /** All tries have failed. The events stay in the outbox; a caller that waits for one learns that the outcome is unknown. */
  recordFailedTries(batch: Pick<OutboundBatch, 'events'>, reason: string, cause: unknown): void {
    this.#counters.batchesFailed++;
    for (const event of batch.events) {
      event.waiter?.reject(
        new AuditError('DELIVERY_FAILED', `the event could not be delivered yet: ${reason}`, {
          ...identityOf(event),
          outcome: 'unknown',
          cause,
        }),
      );
    }
    const message = `a batch could not be delivered and is kept: ${reason}`;
    const events = batch.events.length;
    this.#report(new AuditError('DELIVERY_FAILED', message, { outcome: 'unknown', events, cause }));
  }

  /** The SDK's own code failed. No event is lost by that. */
  recordInternalError(cause: unknown): void {
    const message = 'an internal error interrupted delivery; delivery continues';
    this.#report(new AuditError('DELIVERY_FAILED', message, { outcome: 'unknown', events: 0, cause }));
  }

  /** The emitter was closed and these events were only in memory. */
  recordAbandoned(events: readonly PendingEvent[]): void {
    for (const event of events) {
      if (event.sent) this.#counters.unconfirmed++;
      else this.#counters.drop('shutdown');
      const outcome = event.sent ? 'unknown' : 'rejected';
      const message = 'the emitter was closed before the event was delivered';
      event.waiter?.reject(new AuditError('EMITTER_CLOSED', message, { ...identityOf(event), outcome }));
    }
    if (events.length === 0) return;
    const message = 'events were lost: the emitter was closed before they were delivered';
    this.#report(new AuditError('EMITTER_CLOSED', message, { events: events.length, outcome: 'unknown' }));
  }

  #recordRejection(event: PendingEvent, error: AuditError): void {
    this.#counters.rejected++;
    event.waiter?.reject(error);
    this.#report(error);
  }
}

function rejectionOf(event: PendingEvent, status: 'rejected' | 'conflict', error: ItemError): AuditError {
  const code: AuditErrorCode = status === 'conflict' ? 'CONFLICT' : 'REJECTED_BY_SERVICE';
  const what = status === 'conflict' ? 'already has another event with this audit_id' : 'rejected the event';
  return new AuditError(code, `the audit service ${what} (${error.code})`, {
    ...identityOf(event),
    violations: error.violations,
  });
}

function identityOf({ id, tenantId, eventType }: PendingEvent) {
  return { id, tenantId, eventType };
}
