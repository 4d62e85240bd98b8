import type { ItemResult } from '@tallystick/protocol';
import type { Clock } from '../clock.ts';
import { AuditError } from '../errors.ts';
import type { EncodedEvent } from '../event/encoded-event.ts';
import type { Waiter } from '../event/pending-event.ts';
import type { AuditReceipt } from './result.ts';

/** The promise of one call of `record()`. Its timer keeps the process alive, since a caller awaits the promise. */
export class ReceiptWaiter implements Waiter {
  readonly promise: Promise<AuditReceipt>;
  readonly #event: EncodedEvent;
  #resolve!: (receipt: AuditReceipt) => void;
  #reject!: (error: AuditError) => void;
  readonly #cancelTimeout: () => void;

  constructor(event: EncodedEvent, clock: Clock, timeoutMs: number) {
    this.#event = event;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#cancelTimeout = clock.schedule(timeoutMs, () => this.#timeOut(timeoutMs), true);
  }

  resolve(result: ItemResult): void {
    this.#cancelTimeout();
    const { id, createdAt } = this.#event;
    const receipt = 'receipt' in result ? result.receipt : undefined;
    const state = receipt === undefined ? 'accepted' : 'chained';
    this.#resolve({ id, createdAt: new Date(createdAt), state, receipt });
  }

  reject(error: AuditError): void {
    this.#cancelTimeout();
    this.#reject(error);
  }

  #timeOut(timeoutMs: number): void {
    const { id, tenantId, eventType } = this.#event;
    const message = `no receipt within ${timeoutMs} ms; the event may still be delivered`;
    this.#reject(
      new AuditError('DELIVERY_TIMED_OUT', message, { id, tenantId, eventType, outcome: 'unknown' }),
    );
  }
}
