import type { EventItem } from '../chain/batch.ts';
import { exportRecord, type Reading, readRecord } from '../chain/service-records/read-records.ts';
import type { Writer } from '../chain/writer.ts';
import { type Database, writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';

const writeTime = readSql('write-time');

/** Reads of one principal within such a window are one record. */
const windowMs = 5 * 60 * 1000;

/** How reads are recorded. */
export interface ReadAuditOptions {
  /** @defaultValue true */
  readonly enabled?: boolean | undefined;
  readonly now?: () => number;
  /** Called where a read could not be chained. The read itself continues. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Records reads of a tenant's trail in that tenant's own chain: one `audit.read` per principal and five minutes, and one
 * `audit.exported` per export. The windows follow the clock, so all replicas use the same id for a window, and it is
 * chained once. The first replica that writes it dates it, by the store's clock.
 *
 * Call it only for a tenant that has a chain: a read must not begin one.
 */
export class ReadAudit {
  readonly #database: Database;
  readonly #writer: Writer;
  readonly #enabled: boolean;
  readonly #now: () => number;
  readonly #onFailure: ((error: unknown) => void) | undefined;
  /** Principals and tenants whose reads of the current window are chained. Owned by this object. */
  readonly #seen = new Set<string>();
  #window = 0;

  constructor(database: Database, writer: Writer, options: ReadAuditOptions = {}) {
    this.#database = database;
    this.#writer = writer;
    this.#enabled = options.enabled ?? true;
    this.#now = options.now ?? Date.now;
    this.#onFailure = options.onFailure;
  }

  /** Records a read. Resolves when it is chained, now or earlier, or has failed. */
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
    await this.#write(reading, (writtenAt) => readRecord(reading, start, windowMs, writtenAt));
  }

  /** The store's time, and never before the newest record. Undefined for a tenant without a chain. */
  async #writtenAt(tenantId: string): Promise<Date | undefined> {
    const [row] = await this.#database.query<{ at: Date }>(writer, writeTime, [tenantId]);
    return row?.at;
  }

  /** Records an export: every single one. */
  async exported(reading: Reading, what: { readonly [fact: string]: unknown }): Promise<void> {
    if (!this.#enabled) return;
    await this.#write(reading, (writtenAt) => exportRecord(reading, writtenAt, what));
  }

  async #write({ tenantId }: Reading, record: (writtenAt: Date) => EventItem): Promise<void> {
    try {
      const writtenAt = await this.#writtenAt(tenantId);
      if (writtenAt !== undefined) await this.#writer.submit([record(writtenAt)]);
    } catch (error) {
      this.#onFailure?.(error);
    }
  }
}

/**
 * Whether an event records a read or an export, or a filter finds such events alone. Reading them is not recorded: each record would cause
 * the next.
 *
 * @param eventType the type of an event, or the types that a filter finds
 */
export function isOfReading(eventType: unknown): boolean {
  const types = [eventType].flat();
  return types.every((type) => type === 'audit.read' || type === 'audit.exported' || type === 'audit.*');
}
