import { createHash } from 'node:crypto';
import type { AuditEvent } from '@tallystick/event';
import type { Batch, DeclaredGap, FinalSequence, ItemResult, Receipt, Transport } from './transport.ts';

/** How a service in memory behaves. */
export interface MemoryTransportOptions {
  /**
   * Called before each batch is taken; throws or returns results in its place to play a fault. May be async.
   *
   * @defaultValue every batch is taken
   */
  readonly intercept?: (
    batch: Batch,
    signal: AbortSignal,
  ) => undefined | readonly ItemResult[] | Promise<undefined | readonly ItemResult[]>;
}

/** An audit service in memory, for tests: chains what it gets, recognises repetitions, keeps what was declared. */
export class MemoryTransport implements Transport {
  /** Every batch that was sent, taken or not. */
  readonly batches: Batch[] = [];
  /** The events that were taken, in their order, without repetitions. */
  readonly events: AuditEvent[] = [];
  readonly gaps: DeclaredGap[] = [];
  readonly final: FinalSequence[] = [];
  closed = false;
  readonly #options: MemoryTransportOptions;
  readonly #receipts = new Map<string, { text: string; receipt: Receipt }>();
  readonly #lengths = new Map<string, number>();

  constructor(options: MemoryTransportOptions = {}) {
    this.#options = options;
  }

  async send(batch: Batch, signal: AbortSignal): Promise<readonly ItemResult[]> {
    this.batches.push(batch);
    const instead = await this.#options.intercept?.(batch, signal);
    if (instead !== undefined) return instead;
    this.gaps.push(...batch.delivery.gaps);
    this.final.push(...batch.delivery.final);
    return batch.events.map((text) => this.#chain(text));
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  #chain(text: string): ItemResult {
    const event = JSON.parse(text) as AuditEvent;
    const known = this.#receipts.get(event.audit_id);
    if (known !== undefined) {
      if (known.text === text) return { status: 'duplicate', receipt: known.receipt };
      return { status: 'conflict', error: { code: 'AUDIT_ID_CONFLICT', message: 'has another content' } };
    }
    const sequence = this.#lengths.get(event.tenant_id) ?? 1;
    this.#lengths.set(event.tenant_id, sequence + 1);
    const receipt: Receipt = {
      audit_id: event.audit_id,
      tenant_id: event.tenant_id,
      epoch: 0,
      sequence_number: sequence,
      record_hash: createHash('sha256').update(text).digest('hex'),
      ingested_at: event.timestamp,
    };
    this.#receipts.set(event.audit_id, { text, receipt });
    this.events.push(event);
    return { status: 'chained', receipt };
  }
}

/** A service in memory; see {@link MemoryTransport}. */
export function memoryTransport(options: MemoryTransportOptions = {}): MemoryTransport {
  return new MemoryTransport(options);
}
