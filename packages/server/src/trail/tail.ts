import type { Database } from '../store/database.ts';
import { writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { Position } from './cursor.ts';

const watchHeads = readSql('watch-heads');

interface Waiter {
  readonly tenantId: string;
  readonly position: Position;
  readonly resolve: (head: Position) => void;
}

/**
 * Wakes followers when a chain has grown. One query per interval serves all of them. While no follower waits, no query runs.
 *
 * It polls and does not use NOTIFY: polling works through connection poolers and with the embedded store, and it loses no
 * notification.
 */
export class HeadWatch {
  readonly #database: Database;
  readonly #intervalMs: number;
  /** Followers that have read everything up to the head. Owned by this object. */
  readonly #waiters = new Set<Waiter>();
  #timer: NodeJS.Timeout | undefined;

  constructor(database: Database, intervalMs: number) {
    this.#database = database;
    this.#intervalMs = intervalMs;
  }

  /**
   * Resolves with the head of the tenant's chain as soon as it is beyond `position`, or with `undefined` when the signal
   * aborts. While the store fails, the promise stays pending.
   */
  beyond(tenantId: string, position: Position, signal: AbortSignal): Promise<Position | undefined> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const settle = (head: Position | undefined) => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
        resolve(head);
      };
      const onAbort = () => settle(undefined);
      const waiter: Waiter = { tenantId, position, resolve: settle };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#waiters.size === 0) return;
    this.#timer = setTimeout(async () => {
      await this.#look().catch(() => undefined);
      this.#timer = undefined;
      this.#schedule();
    }, this.#intervalMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const tenants = [...new Set([...this.#waiters].map((waiter) => waiter.tenantId))];
    if (tenants.length === 0) return;
    const rows = await this.#database.query<{ tenant_id: string; epoch: number; last_sequence: number }>(
      writer,
      watchHeads,
      [tenants],
    );
    const heads = new Map(
      rows.map((row) => [row.tenant_id, { epoch: row.epoch, sequence: row.last_sequence }]),
    );
    for (const waiter of [...this.#waiters]) {
      const head = heads.get(waiter.tenantId);
      if (head !== undefined && isBeyond(head, waiter.position)) waiter.resolve(head);
    }
  }
}

function isBeyond(head: Position, position: Position): boolean {
  return head.epoch > position.epoch || (head.epoch === position.epoch && head.sequence > position.sequence);
}
