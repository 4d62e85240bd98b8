import { AuditError, type AuditErrorCode } from '../errors.ts';
import { NotConfigured } from '../transport/nowhere.ts';
import type { ItemError, ItemResult } from '../transport/transport.ts';
import type { Counters } from './counters.ts';
import type { Entry, Load } from './entry.ts';

/** Where faults are told: the logger and the application's `onError`. */
export type Report = (error: AuditError) => void;

/** Books what the service said of each event, and tells whoever awaits it. */
export class Settlement {
  readonly #counters: Counters;
  readonly #report: Report;

  constructor(counters: Counters, report: Report) {
    this.#counters = counters;
    this.#report = report;
  }

  /** The service has answered. What it rejected it has dead-lettered itself, so no gap is declared. */
  results(load: Load, results: readonly ItemResult[]): void {
    for (let index = 0; index < load.entries.length; index++) {
      const entry = load.entries[index]!;
      const result = results[index]!;
      if (result.status === 'rejected' || result.status === 'conflict') {
        const code = result.status === 'conflict' ? 'CONFLICT' : 'REJECTED_BY_SERVICE';
        this.#refuse(entry, itemError(code, result.error, entry));
      } else {
        this.#counters.delivered++;
        if (result.status === 'duplicate') this.#counters.duplicates++;
        entry.waiter?.settle(result);
      }
    }
  }

  /** The service will never take these: they are lost here, which is declared. */
  refused(load: Load, reason: string, cause: unknown): void {
    if (load.entries.length === 0) return this.fault(cause);
    const aimless = cause instanceof NotConfigured;
    const code = aimless ? 'NOT_CONFIGURED' : 'BATCH_REFUSED';
    const message = aimless
      ? 'events go nowhere: no transport is given, and TALLYSTICK_URL is not set'
      : `the audit service refuses a batch: ${reason}`;
    for (const entry of load.entries) {
      load.ledger.lose(entry.tenantId, entry.sequence, aimless ? 'not_configured' : 'batch_refused');
      this.#counters.rejected++;
      entry.waiter?.fail(new AuditError(code, message, { ...identity(entry), cause }));
    }
    const first = load.entries[0];
    this.#report(
      new AuditError(code, message, {
        ...(load.entries.length === 1 && first !== undefined ? identity(first) : {}),
        events: load.entries.length,
        cause,
      }),
    );
  }

  /** All tries have failed. The events stay; only those who await them are told that the outcome is unknown. */
  undecided(load: Load, reason: string, cause: unknown): void {
    this.#counters.batchesFailed++;
    for (const entry of load.entries) {
      entry.waiter?.fail(
        new AuditError('DELIVERY_FAILED', `the event could not be delivered yet: ${reason}`, {
          ...identity(entry),
          outcome: 'unknown',
          cause,
        }),
      );
    }
    this.#report(
      new AuditError('DELIVERY_FAILED', `a batch could not be delivered and waits: ${reason}`, {
        outcome: 'unknown',
        events: load.entries.length,
        cause,
      }),
    );
  }

  /** Something that should not happen did; nothing is lost by it. */
  fault(cause: unknown): void {
    this.#report(
      new AuditError('DELIVERY_FAILED', 'delivery stumbled and goes on', {
        outcome: 'unknown',
        events: 0,
        cause,
      }),
    );
  }

  #refuse(entry: Entry, error: AuditError): void {
    this.#counters.rejected++;
    entry.waiter?.fail(error);
    this.#report(error);
  }
}

export function identity(entry: Entry): { id: string; tenantId: string; eventType: string } {
  return { id: entry.id, tenantId: entry.tenantId, eventType: entry.eventType };
}

function itemError(code: AuditErrorCode, error: ItemError, entry: Entry): AuditError {
  const message = `the audit service ${code === 'CONFLICT' ? 'has another event under this audit_id' : 'rejected the event'}`;
  return new AuditError(code, `${message} (${error.code})`, {
    ...identity(entry),
    violations: error.violations,
  });
}
