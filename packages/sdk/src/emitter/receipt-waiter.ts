import type { Clock } from '../clock.ts';
import type { Waiter } from '../delivery/entry.ts';
import { AuditError } from '../errors.ts';
import type { EncodedEvent } from '../event/encoded-event.ts';
import type { ItemResult } from '../transport/transport.ts';
import type { AuditReceipt } from './result.ts';

/** The promise behind one `record()`. Its timer keeps the process alive, since somebody awaits it. */
export class ReceiptWaiter implements Waiter {
  readonly promise: Promise<AuditReceipt>;
  readonly #event: EncodedEvent;
  #resolve!: (receipt: AuditReceipt) => void;
  #reject!: (error: AuditError) => void;
  readonly #cancel: () => void;

  constructor(event: EncodedEvent, clock: Clock, timeoutMs: number) {
    this.#event = event;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#cancel = clock.schedule(timeoutMs, () => this.#late(timeoutMs), true);
  }

  settle(result: ItemResult): void {
    this.#cancel();
    const { id, createdAt } = this.#event;
    const receipt = 'receipt' in result ? result.receipt : undefined;
    const state = receipt === undefined ? 'accepted' : 'chained';
    this.#resolve({ id, createdAt: new Date(createdAt), state, receipt });
  }

  fail(error: AuditError): void {
    this.#cancel();
    this.#reject(error);
  }

  #late(timeoutMs: number): void {
    const { id, tenantId, eventType } = this.#event;
    const message = `no receipt within ${timeoutMs} ms; the event may be delivered yet`;
    this.#reject(
      new AuditError('DELIVERY_TIMED_OUT', message, { id, tenantId, eventType, outcome: 'unknown' }),
    );
  }
}
