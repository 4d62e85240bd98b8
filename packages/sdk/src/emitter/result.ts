import type { Receipt } from '../transport/transport.ts';

/** What `emit()` knows at once. Nothing is stored yet; `record()` says when it is. */
export interface AuditEventResult {
  /** `audit_id` of the event. */
  readonly id: string;
  readonly createdAt: Date;
  /**
   * - `buffered`: on its way.
   * - `dropped`: lost for want of room, or because the emitter is closed. Counted, and declared to the service.
   * - `refused`: its data can't be an event (too large, malformed tenant, …). Counted, and told to `onError`.
   */
  readonly state: 'buffered' | 'dropped' | 'refused';
}

/** What `record()` resolves with. */
export interface AuditReceipt {
  readonly id: string;
  readonly createdAt: Date;
  /**
   * - `chained`: in its tenant's chain; `receipt` says where. Also if it was there already.
   * - `accepted`: durable in a queue that all in-sync replicas acknowledged, to be chained.
   */
  readonly state: 'chained' | 'accepted';
  readonly receipt: Receipt | undefined;
}

/** How long `record()` may take. */
export interface RecordOptions {
  /** How long to wait for the receipt, in ms. @defaultValue `recordTimeoutMs` of the emitter */
  readonly timeoutMs?: number | undefined;
}

/** How long `flush()` and `close()` may take. */
export interface DeadlineOptions {
  /** How long to take at most, in ms. @defaultValue `deadlineMs` of the emitter */
  readonly deadlineMs?: number | undefined;
}
