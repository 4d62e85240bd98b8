import type { AuditError, AuditErrorCode } from '../errors.ts';
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

  /**
   * Whether neither the logger nor `onError` nor a process warning would get a fault of this kind now. The logger's count of
   * suppressed warnings includes it.
   */
  ignores(code: AuditErrorCode): boolean {
    const { logger, onError } = this.#handlers;
    if (this.#reporting) return true;
    if (onError !== undefined) return false;
    return logger === undefined ? !isWarningDue(code) : this.#log.suppresses(code);
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
      if (logger === undefined && onError === undefined) warnOnce(error);
    } catch {
      // The application's handler threw. Delivery must go on.
    } finally {
      this.#reporting = false;
    }
  }
}

/**
 * What a process warning says, by the fault's code. The other codes have no warning: either nothing is lost yet, or the transport
 * warns itself.
 */
const warnings: { readonly [C in AuditErrorCode]?: string } = {
  SPOOL_FAILED: 'Audit events are kept in memory only',
  SPOOL_LOCKED: 'Audit events are kept in memory only',
  EVENT_REFUSED: 'An audit event is lost',
  REJECTED_BY_SERVICE: 'An audit event is not in the trail',
  CONFLICT: 'An audit event is not in the trail',
  BATCH_REFUSED: 'Audit events are lost',
  BUFFER_FULL: 'Audit events are lost',
  SPOOL_FULL: 'Audit events are lost',
  EMITTER_CLOSED: 'Audit events are lost',
};

/** The warnings that this process has given. All emitters of the process share it. */
const given = new Set<AuditErrorCode>();

function isWarningDue(code: AuditErrorCode): boolean {
  return warnings[code] !== undefined && !given.has(code);
}

/**
 * Without a logger and `onError`, nothing else would show the fault. A process warning shows the first one of each code and names
 * the remedy.
 */
function warnOnce({ code, message }: AuditError): void {
  if (!isWarningDue(code)) return;
  given.add(code);
  const what = warnings[code];
  const detail =
    'The emitter has no logger and no onError, so this process reports no further faults of this kind.';
  process.emitWarning(`${what}: ${message}`, { code: `TALLYSTICK_${code}`, detail });
}
