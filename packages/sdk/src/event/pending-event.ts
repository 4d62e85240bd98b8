import type { ItemResult } from '@tallystick/protocol';
import type { AuditError } from '../errors.ts';

/** A caller that waits for the outcome of one event, such as a call of `record()`. */
export interface Waiter {
  /** Whether the caller is still waiting, and wants the event chained and not only queued. */
  readonly chained: boolean;
  /** The service accepted the event. */
  resolve(result: ItemResult): void;
  /** The event is lost, or its outcome is unknown; `error.outcome` says which. */
  reject(error: AuditError): void;
}

/**
 * An event from `emit()` until its outcome is known. The emitter's thread owns it. Only `text` to `position` change, and
 * delivery changes them.
 */
export interface PendingEvent {
  /** `audit_id` of the event. */
  readonly id: string;
  readonly tenantId: string;
  readonly eventType: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /**
   * Characters of the text when it was emitted. For ASCII text this is its size in bytes; other text has up to three times
   * as many bytes. (Counting the bytes of every event would cost a microsecond per event.)
   */
  readonly bytes: number;
  /** The event's JSON text in its wire form. */
  text: string;
  /** Whether secrets were removed from the text. */
  redacted: boolean;
  /** Its number within (producer, tenant), from 1; 0 until delivery accepts the event. */
  sequence: number;
  waiter: Waiter | undefined;
  /** Whether the transport was ever called with the event. If so, the service may have it. */
  sent: boolean;
  /** With a spool: how many events this process had queued, including this one, when it was queued. Else 0. */
  position: number;
}
