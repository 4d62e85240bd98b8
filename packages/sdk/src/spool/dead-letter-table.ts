import type { DatabaseSync } from 'node:sqlite';
import type { SpooledEvent, StoredDeadLetter } from './requests.ts';

/** When there are more, the oldest are deleted. */
const maxDeadLetters = 10_000;

/**
 * Events that the service refused permanently. They are kept for an operator and not sent again. Called within a transaction of
 * the spool's file.
 */
export class DeadLetterTable {
  readonly #sqlite: DatabaseSync;

  constructor(sqlite: DatabaseSync) {
    this.#sqlite = sqlite;
  }

  add(reason: string, events: readonly SpooledEvent[]): void {
    const insert = this.#sqlite.prepare('insert into dead_letter values (?, ?, ?, ?, ?, ?)');
    for (const event of events) {
      insert.run(event.id, event.tenantId, event.eventType, event.text, reason, event.createdAt);
    }
    this.#sqlite
      .prepare('delete from dead_letter where rowid <= (select max(rowid) from dead_letter) - ?')
      .run(maxDeadLetters);
  }

  list(after: number, limit: number): StoredDeadLetter[] {
    return this.#sqlite
      .prepare(
        `select rowid as place, tenant_id as tenantId, audit_id as id, event_type as eventType,
                buried_at as createdAt, reason, body as text from dead_letter where rowid > ? order by rowid limit ?`,
      )
      .all(after, limit) as unknown as StoredDeadLetter[];
  }

  /** @returns how many were deleted */
  purge(places: readonly number[] | 'all'): number {
    if (places === 'all') return Number(this.#sqlite.prepare('delete from dead_letter').run().changes);
    const remove = this.#sqlite.prepare('delete from dead_letter where rowid = ?');
    let purged = 0;
    for (const place of places) purged += Number(remove.run(place).changes);
    return purged;
  }
}
