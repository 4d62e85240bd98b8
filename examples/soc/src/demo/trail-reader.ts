import type { Client } from '@tallystick/client';
import { type EventView, textAt } from './record-line.ts';

/** A record, and the tenant in whose chain it is. */
export interface ReadRecord {
  readonly tenantId: string;
  readonly event: EventView;
}

/** How long the chains of the tenants are together, and how much of them is signed. */
export interface TrailSize {
  readonly records: number;
  /** Records that the newest checkpoints cover. */
  readonly signed: number;
}

/** Reads what was chained since the last time, with an API key, as any client of the service does. */
export class TrailReader {
  readonly #client: Client;
  /** Records of each tenant that were read. */
  readonly #read: Map<string, number>;
  #size: TrailSize = { records: 0, signed: 0 };

  constructor(client: Client, tenants: readonly string[]) {
    this.#client = client;
    this.#read = new Map(tenants.map((tenant) => [tenant, 0]));
  }

  /** As of the last {@link next}. */
  get size(): TrailSize {
    return this.#size;
  }

  /**
   * The records that were chained since the last call, in the order in which their events happened. A chain has them in the order in
   * which its services delivered them.
   */
  async next(): Promise<ReadRecord[]> {
    const records: ReadRecord[] = [];
    const total = { records: 0, signed: 0 };
    for await (const { tenant_id: tenantId, size, signed_size } of this.#client.tenants.listAll()) {
      const from = this.#read.get(tenantId);
      if (from === undefined) continue;
      total.records += size;
      total.signed += signed_size ?? 0;
      if (size === from) continue;
      const filters = { sequence_from: from, sequence_to: size - 1 };
      for await (const event of this.#client.events.listAll({ tenant_id: tenantId, filters, order: 'asc' })) {
        records.push({ tenantId, event });
      }
      this.#read.set(tenantId, size);
    }
    this.#size = total;
    return records.sort((a, b) => inTime(a.event, b.event));
  }
}

/** By time. Within a millisecond the ids decide, which a process makes in order. */
function inTime(a: EventView, b: EventView): number {
  const key = (event: EventView) => `${textAt(event, 'timestamp')} ${textAt(event, 'audit_id')}`;
  return key(a) < key(b) ? -1 : 1;
}
