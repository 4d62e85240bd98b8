/**
 * The queue of events on disk. When `append` returns, its events and gaps are durable, also after a power failure. After a crash
 * during a request, the queue is as it was before the request. Removing delivered events is not synced to disk: after a power
 * failure they may be there again, are sent again, and the service recognises the repetition. Owned by the spool's thread.
 */
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { DeadLetterTable } from './dead-letter-table.ts';
import { DeclarationTable } from './declaration-table.ts';
import type { RequestOf, SpoolContents, SpooledBatch, SpooledEvent, StoredDeadLetter } from './requests.ts';
import { SpoolDatabase } from './spool-database.ts';

/** Rows in one transaction when one queue takes over another one. */
const rowsPerMove = 1_000;

/** A request to append whose events are already without secrets. */
type RedactedAppend = Omit<RequestOf<'append'>, 'op' | 'events'> & {
  readonly events: readonly SpooledEvent[];
};

export class SpoolFile {
  readonly #database: SpoolDatabase;
  readonly #declarations: DeclarationTable;
  readonly #deadLetters: DeadLetterTable;
  readonly #insert: StatementSync;

  /** @throws {Error} with code `SPOOL_LOCKED` if another emitter, of this or another process, uses the directory */
  constructor(directory: string) {
    this.#database = new SpoolDatabase(directory);
    const { sqlite } = this.#database;
    this.#declarations = new DeclarationTable(sqlite);
    this.#deadLetters = new DeadLetterTable(sqlite);
    this.#insert = sqlite.prepare('insert into event values (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  }

  open(): SpoolContents {
    const { next_row, events, bytes, oldest } = this.#database.sqlite
      .prepare(
        `select coalesce(max(row), 0) + 1 as next_row, count(*) as events, coalesce(sum(bytes), 0) as bytes,
                min(created_at) as oldest from event`,
      )
      .get() as { next_row: number; events: number; bytes: number; oldest: number | null };
    return { nextRow: next_row, events, bytes, oldest: oldest ?? undefined };
  }

  append({ producerId, events, gaps }: RedactedAppend): void {
    this.#database.requireFile();
    this.#database.transaction(() => {
      for (const { row, tenantId, sequence, id, eventType, createdAt, bytes, text } of events) {
        this.#insert.run(row, producerId, tenantId, sequence, id, eventType, createdAt, bytes, text);
      }
      this.#declarations.replaceGaps(producerId, gaps);
    });
  }

  /** The next events, all of one producer. If there are none, what an earlier producer has to declare. */
  read(request: RequestOf<'read'>): SpooledBatch | undefined {
    const { ownProducerId, afterRow } = request;
    const { firstProducer, events } = this.#readEvents(request);
    const fromHead = afterRow === 0;
    const producerId =
      firstProducer ?? (fromHead ? this.#declarations.findProducer(ownProducerId) : undefined);
    if (producerId === undefined) return undefined;
    if (producerId === ownProducerId || !fromHead) return { producerId, events, gaps: [], final: [] };
    const gaps = this.#declarations.gapsOf(producerId);
    const final = events.length === 0 ? this.#declarations.finalOf(producerId) : [];
    return { producerId, events, gaps, final };
  }

  #readEvents({ afterRow, settledRow, maxEvents, maxBytes }: RequestOf<'read'>) {
    const rows = this.#database.sqlite
      .prepare(
        `select row, producer_id, tenant_id as tenantId, sequence, audit_id as id, event_type as eventType,
                created_at as createdAt, bytes, body as text from event where row > ? order by row limit ?`,
      )
      .iterate(Math.max(afterRow, settledRow), maxEvents) as Iterable<SpooledEvent & { producer_id: string }>;
    const events: SpooledEvent[] = [];
    let firstProducer: string | undefined;
    let total = 0;
    for (const { producer_id, ...event } of rows) {
      total += event.bytes;
      firstProducer ??= producer_id;
      if (producer_id !== firstProducer || (events.length > 0 && total > maxBytes)) break;
      events.push(event);
    }
    return { firstProducer, events };
  }

  settle({ producerId, throughRow, gapsDeclared, lost, refused }: RequestOf<'settle'>): void {
    this.#database.transactionWithoutSync(() => {
      this.#database.sqlite.prepare('delete from event where row <= ?').run(throughRow);
      this.#declarations.removeFirstGaps(producerId, gapsDeclared);
      this.#declarations.addGaps(producerId, lost);
      if (refused !== undefined) this.#deadLetters.add(refused.reason, refused.events);
    });
  }

  forgetProducer({ producerId }: RequestOf<'forgetProducer'>): void {
    this.#database.transaction(() => this.#declarations.removeProducer(producerId));
  }

  recordEnd({ producerId, gaps, final }: RequestOf<'recordEnd'>): void {
    this.#database.transaction(() => {
      this.#declarations.replaceGaps(producerId, gaps);
      this.#declarations.addFinal(producerId, final);
    });
  }

  listDeadLetters({ after, limit }: RequestOf<'listDeadLetters'>): StoredDeadLetter[] {
    return this.#deadLetters.list(after, limit);
  }

  purgeDeadLetters({ places }: RequestOf<'purgeDeadLetters'>): number {
    let purged = 0;
    this.#database.transaction(() => {
      purged = this.#deadLetters.purge(places);
    });
    return purged;
  }

  /**
   * Moves the contents of another queue to the end of this one. After a crash in between, both queues contain some of the events:
   * they are sent twice, and the service recognises the repetition. Final numbers are moved after all events, so that no
   * producer's end is declared before its events.
   */
  takeOver(other: SpoolFile): void {
    const { sqlite } = other.#database;
    for (const table of ['event', 'gap', 'final', 'dead_letter'] as const) {
      for (;;) {
        const rows = sqlite
          .prepare(`select rowid as rowid, * from ${table} order by rowid limit ${rowsPerMove}`)
          .all() as { [column: string]: SQLInputValue }[];
        if (rows.length === 0) break;
        this.#database.transaction(() => {
          for (const row of rows) this.#insertRow(table, row);
        });
        other.#database.transaction(() => {
          sqlite.prepare(`delete from ${table} where rowid <= ?`).run(rows.at(-1)!.rowid!);
        });
      }
    }
  }

  #insertRow(
    table: string,
    { rowid: _rowid, row: _row, ...values }: { [column: string]: SQLInputValue },
  ): void {
    const columns = Object.keys(values);
    const sql = `insert or replace into ${table} (${columns.join()}) values (${columns.map(() => '?').join()})`;
    this.#database.sqlite.prepare(sql).run(...Object.values(values));
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
