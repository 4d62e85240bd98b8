import type { ItemResult, Receipt } from '@tallystick/protocol';
import type { EncodedEvent } from '../event/encoded-event.ts';

/** The result of `emit()`. The event is not durable yet; use `record()` to wait until it is. */
export interface AuditEventResult {
  /** `audit_id` of the event. */
  readonly id: string;
  readonly createdAt: Date;
  /**
   * - `buffered`: the event will be delivered.
   * - `dropped`: the event is lost because there was no room, or because the emitter is closed. The loss is counted, and declared
   *   to the service.
   * - `refused`: the event's data is invalid: it is too large, its tenant is malformed, and so on. The event is counted, and
   *   `onError` is called.
   */
  readonly state: 'buffered' | 'dropped' | 'refused';
}

/** The result of `record()`. */
export interface AuditReceipt {
  /** `audit_id` of the event. */
  readonly id: string;
  readonly createdAt: Date;
  /**
   * - `chained`: the event is in its tenant's chain, also if it was there before; `receipt` gives its place.
   * - `accepted`: the event is in a queue that all in-sync replicas acknowledged, and will be chained.
   */
  readonly state: 'chained' | 'accepted';
  /** `undefined` if the state is `accepted`. */
  readonly receipt: Receipt | undefined;
}

/** What `record()` returns for an event that the service has. */
export function receiptOf({ id, createdAt }: EncodedEvent, result: ItemResult): AuditReceipt {
  const receipt = 'receipt' in result ? result.receipt : undefined;
  const state = receipt === undefined ? 'accepted' : 'chained';
  return { id, createdAt: new Date(createdAt), state, receipt };
}

/** Options of `record()`. */
export interface RecordOptions {
  /** How long to wait for the receipt, in milliseconds. @defaultValue `recordTimeoutMs` of the emitter */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether the service should chain the event before it answers, also if it has a queue in front of the chain. It is asked to over
   * HTTP, as long as this call waits. The receipt's `state` says what was done: a Kafka topic can't do it, and an older service does not.
   *
   * @defaultValue false
   */
  readonly chained?: boolean | undefined;
}

/** Options of `flush()` and `close()`. */
export interface DeadlineOptions {
  /** How long the call may take, in milliseconds. @defaultValue `deadlineMs` of the emitter */
  readonly deadlineMs?: number | undefined;
}
