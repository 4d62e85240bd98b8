import { createHash } from 'node:crypto';
import type { AuditEvent } from '@tallystick/event';
import type { DeclaredGap, FinalSequence, ItemResult, Receipt } from '@tallystick/protocol';
import type { Batch, Transport } from './transport.ts';

/** How a {@link MemoryTransport} behaves. */
export interface MemoryTransportOptions {
  /**
   * Called with each batch before it is accepted. It may simulate a fault: by throwing, or by returning results, which then
   * replace those of the transport. It may be async.
   *
   * @defaultValue every batch is accepted
   */
  readonly intercept?: (
    batch: Batch,
    signal: AbortSignal,
  ) => undefined | readonly ItemResult[] | Promise<undefined | readonly ItemResult[]>;
}

/**
 * A transport with an audit service in memory, for tests. It assigns sequence numbers, recognises repeated events and keeps
 * what the emitter declared.
 */
export class MemoryTransport implements Transport {
  /** Every batch that was sent, accepted or not. */
  readonly batches: Batch[] = [];
  /** The accepted events in their order, without repetitions. */
  readonly events: AuditEvent[] = [];
  /** All gaps that the emitter declared. */
  readonly gaps: DeclaredGap[] = [];
  /** The last sequence numbers that the emitter declared at its end. */
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
    const results = await this.#options.intercept?.(batch, signal);
    if (results !== undefined) return results;
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
      return {
        status: 'conflict',
        error: { code: 'AUDIT_ID_CONFLICT', message: 'another event has this audit_id' },
      };
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

/** Creates a {@link MemoryTransport}. */
export function memoryTransport(options: MemoryTransportOptions = {}): MemoryTransport {
  return new MemoryTransport(options);
}
