import type { ItemResult } from '@tallystick/protocol';
import type { Clock } from '../clock.ts';
import { AuditError } from '../errors.ts';
import type { EncodedEvent } from '../event/encoded-event.ts';
import type { Waiter } from '../event/pending-event.ts';
import { type AuditReceipt, type RecordOptions, receiptOf } from './result.ts';

/** The promise of one call of `record()`. Its timer keeps the process alive, since a caller awaits the promise. */
export class ReceiptWaiter implements Waiter {
  readonly promise: Promise<AuditReceipt>;
  readonly #event: EncodedEvent;
  #resolve!: (receipt: AuditReceipt) => void;
  #reject!: (error: AuditError) => void;
  readonly #cancelTimeout: () => void;
  #chained: boolean;

  constructor(event: EncodedEvent, clock: Clock, timeoutMs: number, { chained }: RecordOptions = {}) {
    this.#event = event;
    this.#chained = chained === true;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#cancelTimeout = clock.schedule(timeoutMs, () => this.#timeOut(timeoutMs), true);
  }

  get chained(): boolean {
    return this.#chained;
  }

  resolve(result: ItemResult): void {
    this.#stopWaiting();
    this.#resolve(receiptOf(this.#event, result));
  }

  reject(error: AuditError): void {
    this.#stopWaiting();
    this.#reject(error);
  }

  /** The event may go into a queue from now on: no caller depends on more. */
  #stopWaiting(): void {
    this.#chained = false;
    this.#cancelTimeout();
  }

  #timeOut(timeoutMs: number): void {
    const { id, tenantId, eventType } = this.#event;
    this.#stopWaiting();
    const message = `no receipt within ${timeoutMs} ms; the event may still be delivered`;
    this.#reject(
      new AuditError('DELIVERY_TIMED_OUT', message, { id, tenantId, eventType, outcome: 'unknown' }),
    );
  }
}
