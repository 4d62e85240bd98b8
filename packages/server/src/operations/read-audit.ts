import type { EventItem } from '../chain/batch.ts';
import { exportRecord, type Reading, readRecord } from '../chain/service-records/read-records.ts';
import type { Writer } from '../chain/writer.ts';

const windowMs = 5 * 60 * 1000;

export interface ReadAuditOptions {
  /** @defaultValue true */
  readonly enabled?: boolean | undefined;
  readonly now?: () => number;
  /** The read goes on all the same. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Chains who read a tenant's trail, in that tenant's own chain: once a principal and five minutes (of the clock, so that
 * replicas agree on the window and on the event, and chain it once between them), and each export.
 *
 * Call it only for a tenant that has a chain: a read must not begin one.
 */
export class ReadAudit {
  readonly #writer: Writer;
  readonly #enabled: boolean;
  readonly #now: () => number;
  readonly #onFailure: ((error: unknown) => void) | undefined;
  /** Reads that were chained in the current window. Owned by this object, emptied when the window ends. */
  readonly #seen = new Set<string>();
  #window = 0;

  constructor(writer: Writer, options: ReadAuditOptions = {}) {
    this.#writer = writer;
    this.#enabled = options.enabled ?? true;
    this.#now = options.now ?? Date.now;
    this.#onFailure = options.onFailure;
  }

  /** Says that somebody reads. Resolves when it is chained, or was already, or could not be. */
  async read(reading: Reading): Promise<void> {
    if (!this.#enabled) return;
    const start = Math.floor(this.#now() / windowMs) * windowMs;
    if (start !== this.#window) {
      this.#seen.clear();
      this.#window = start;
    }
    const key = `${reading.tenantId}\n${reading.principal}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    await this.#write(readRecord(reading, start, windowMs));
  }

  /** Says that somebody takes records out; each time. */
  async exported(reading: Reading, what: { readonly [fact: string]: unknown }): Promise<void> {
    if (!this.#enabled) return;
    await this.#write(exportRecord(reading, this.#now(), what));
  }

  async #write(record: EventItem): Promise<void> {
    try {
      await this.#writer.submit([record]);
    } catch (error) {
      this.#onFailure?.(error);
    }
  }
}

/** Whether a view is of a read or an export: following the trail must not feed on itself. */
export function isOfReading(eventType: unknown): boolean {
  return eventType === 'audit.read' || eventType === 'audit.exported' || eventType === 'audit.*';
}
