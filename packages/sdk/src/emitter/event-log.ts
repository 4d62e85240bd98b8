import type { EncodedEvent } from '../event/encoded-event.ts';
import type { AnyEventInput } from '../event/input.ts';
import { type AuditLogger, ignoreRejection } from '../observe/logger.ts';

/** Logs one line per event: type, target, outcome and tenant, and never the event's body. */
export class EventLog {
  readonly #logger: AuditLogger;
  #logging = false;

  constructor(logger: AuditLogger) {
    this.#logger = logger;
  }

  log({ targetType, targetId, outcome }: AnyEventInput, { tenantId, eventType }: EncodedEvent): void {
    // A logger that itself emits must not cause a line for that event: it would emit again, without end.
    if (this.#logging) return;
    this.#logging = true;
    try {
      const status =
        typeof outcome === 'object' ? (outcome?.outcome_status ?? outcome?.outcomeStatus) : outcome;
      const logged: unknown = this.#logger.info(
        {
          auditEvent: true,
          actionType: eventType,
          targetType,
          targetId,
          outcome: status,
          clientId: tenantId,
        },
        `Audit: ${eventType}${targetType === undefined ? '' : ` on ${targetType}/${targetId}`}`,
      );
      ignoreRejection(logged);
    } catch {
      // The application's logger threw. The application must not fail because of that.
    } finally {
      this.#logging = false;
    }
  }
}
