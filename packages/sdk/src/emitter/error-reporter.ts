import type { AuditError } from '../errors.ts';
import { type AuditLogger, ignoreRejection, RateLimitedLog } from '../observe/logger.ts';

/** Each kind of fault is logged once in this time. */
const logIntervalMs = 10_000;

interface FaultHandlers {
  readonly logger?: AuditLogger | undefined;
  readonly onError?: ((error: AuditError) => void) | undefined;
}

/** Passes faults to the application's logger and `onError`. Never throws. */
export class ErrorReporter {
  readonly #log: RateLimitedLog;
  readonly #handlers: FaultHandlers;
  #reporting = false;

  constructor(handlers: FaultHandlers, now: () => number) {
    this.#log = new RateLimitedLog(handlers.logger, now, logIntervalMs);
    this.#handlers = handlers;
  }

  report(error: AuditError): void {
    // If a handler emits and that fails too, the handler is not called again: with a full buffer, this would not end.
    if (this.#reporting) return;
    this.#reporting = true;
    const { code, outcome, id, tenantId, eventType, events, message } = error;
    try {
      const fields = { auditFault: code, outcome, id, tenantId, eventType, events };
      this.#log.warn(code, fields, `Audit: ${message}`);
      const { logger, onError } = this.#handlers;
      ignoreRejection(this.#handlers.onError?.(error));
      if (logger === undefined && onError === undefined) warnOfSpool(error);
    } catch {
      // The application's handler threw. Delivery must go on.
    } finally {
      this.#reporting = false;
    }
  }
}

let warnedOfSpool = false;

/** An application that configured a spool relies on it. Without a logger or `onError`, a process warning says that it fails. */
function warnOfSpool({ code, message }: AuditError): void {
  if (warnedOfSpool || (code !== 'SPOOL_FAILED' && code !== 'SPOOL_LOCKED')) return;
  warnedOfSpool = true;
  process.emitWarning(`Audit events are kept in memory only: ${message}`, { code: `TALLYSTICK_${code}` });
}
