/**
 * The queue on disk: one SQLite file, owned by one connection. What is appended is fsynced before it is answered
 * (`synchronous = FULL` with a write-ahead log), so it survives a power cut; a crash in between leaves the queue as it was
 * before the request. What was delivered is taken away without an fsync of its own.
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { DeclaredGap, FinalSequence } from '../transport/transport.ts';
import {
  type BuriedEvent,
  gapsPerRead,
  type Opened,
  type Request,
  type SpooledEvent,
  type SpooledLoad,
} from './protocol.ts';

/** `PRAGMA user_version`. A file of a newer version is refused and left alone. */
const spoolFormat = 1;
const fileName = 'spool.sqlite';
const maxBuried = 10_000;
const rowsPerMove = 1_000;

const schema = `
  create table event (
    row integer primary key, producer_id text not null, tenant_id text not null, sequence integer not null,
    audit_id text not null, event_type text not null, created_at integer not null, bytes integer not null,
    body text not null
  ) strict;
  create table gap (
    producer_id text not null, tenant_id text not null, from_seq integer not null, to_seq integer not null,
    reason text not null
  ) strict;
  create table final (
    producer_id text not null, tenant_id text not null, final_seq integer not null,
    primary key (producer_id, tenant_id)
  ) strict;
  create table dead_letter (
    audit_id text not null, tenant_id text not null, event_type text not null, body text not null,
    reason text not null, buried_at integer not null
  ) strict;
  pragma user_version = ${spoolFormat};
`;

/** What is appended is without secrets already. */
type Prepared = Omit<Of<'append'>, 'op' | 'events'> & { readonly events: readonly SpooledEvent[] };
type Of<Op extends Request['op']> = Extract<Request, { op: Op }>;

export class SpoolFile {
  readonly #path: string;
  readonly #inode: number;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;

  /**
   * @throws {Error} with code `SPOOL_LOCKED` where another process, or another emitter, has the directory
   */
  constructor(directory: string) {
    makeDirectory(directory);
    this.#path = join(directory, fileName);
    this.#database = new DatabaseSync(this.#path);
    try {
      this.#own();
      this.#inode = statSync(this.#path).ino;
    } catch (cause) {
      this.#database.close();
      throw cause;
    }
    this.#insert = this.#database.prepare('insert into event values (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  }

  /** Takes the lock that the operating system drops with the process, and brings the format up to date. */
  #own(): void {
    try {
      this.#database.exec(
        'pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full',
      );
      this.#database.exec('begin exclusive; commit');
    } catch (cause) {
      if (!/locked|busy/i.test(String(cause))) throw cause;
      throw coded('SPOOL_LOCKED', 'another emitter has this spool directory open');
    }
    const { user_version: version } = this.#database.prepare('pragma user_version').get() as {
      user_version: number;
    };
    if (version > spoolFormat) {
      throw coded('SPOOL_FAILED', `the spool has format ${version}; this version reads up to ${spoolFormat}`);
    }
    if (version === 0) this.#transaction(() => this.#database.exec(schema));
  }

  open(): Opened {
    const { next_row, events, bytes, oldest } = this.#database
      .prepare(
        `select coalesce(max(row), 0) + 1 as next_row, count(*) as events, coalesce(sum(bytes), 0) as bytes,
                min(created_at) as oldest from event`,
      )
      .get() as { next_row: number; events: number; bytes: number; oldest: number | null };
    return { nextRow: next_row, events, bytes, oldest: oldest ?? undefined };
  }

  append({ producerId, events, gaps }: Prepared): void {
    // SQLite goes on writing to a file that was deleted (by whoever tidies up /tmp, say), and no successor would find it.
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode) {
      throw coded('SPOOL_FAILED', 'the file of the spool was removed while it was open');
    }
    this.#transaction(() => {
      for (const { row, tenantId, sequence, id, eventType, createdAt, bytes, text } of events) {
        this.#insert.run(row, producerId, tenantId, sequence, id, eventType, createdAt, bytes, text);
      }
      this.#replaceGaps(producerId, gaps);
    });
  }

  read({ ownProducerId, after, settled, maxEvents, maxBytes }: Of<'read'>): SpooledLoad | undefined {
    const rows = this.#database
      .prepare(
        `select row, producer_id, tenant_id as tenantId, sequence, audit_id as id, event_type as eventType,
                created_at as createdAt, bytes, body as text from event where row > ? order by row limit ?`,
      )
      .iterate(Math.max(after, settled), maxEvents) as Iterable<SpooledEvent & { producer_id: string }>;
    const events: SpooledEvent[] = [];
    let head: string | undefined;
    let total = 0;
    for (const { producer_id, ...event } of rows) {
      total += event.bytes;
      head ??= producer_id;
      if (producer_id !== head || (events.length > 0 && total > maxBytes)) break;
      events.push(event);
    }
    // Where no event is left, a predecessor may still have something to declare.
    const producerId = head ?? (after === 0 ? this.#owing(ownProducerId) : undefined);
    if (producerId === undefined) return undefined;
    if (producerId === ownProducerId || after > 0) return { producerId, events, gaps: [], final: [] };
    return {
      producerId,
      events,
      gaps: this.#gaps(producerId),
      final: events.length === 0 ? this.#final(producerId) : [],
    };
  }

  settle(settled: Of<'settle'>): void {
    // Not fsynced: the next append does it. What a power cut brings back is sent again, and the service notices.
    this.#database.exec('pragma synchronous = normal');
    try {
      this.#settle(settled);
    } finally {
      this.#database.exec('pragma synchronous = full');
    }
  }

  #settle({ producerId, upTo, gapsDeclared, lost, buried }: Of<'settle'>): void {
    this.#transaction(() => {
      this.#database.prepare('delete from event where row <= ?').run(upTo);
      this.#database
        .prepare(
          'delete from gap where rowid in (select rowid from gap where producer_id = ? order by rowid limit ?)',
        )
        .run(producerId, gapsDeclared);
      this.#addGaps(producerId, lost);
      if (buried !== undefined) this.#bury(buried.reason, buried.events);
    });
  }

  forget({ producerId }: Of<'forget'>): void {
    this.#transaction(() => {
      this.#database.prepare('delete from gap where producer_id = ?').run(producerId);
      this.#database.prepare('delete from final where producer_id = ?').run(producerId);
    });
  }

  /** The producer will give out no more numbers: a successor can declare its end for it. */
  end({ producerId, gaps, final }: Of<'end'>): void {
    this.#transaction(() => {
      this.#replaceGaps(producerId, gaps);
      const insert = this.#database.prepare('insert or replace into final values (?, ?, ?)');
      for (const { tenant_id, final_seq } of final) insert.run(producerId, tenant_id, final_seq);
    });
  }

  letters({ after, limit }: Omit<Of<'letters'>, 'op'>): BuriedEvent[] {
    return this.#database
      .prepare(
        `select rowid as place, tenant_id as tenantId, audit_id as id, event_type as eventType,
                buried_at as createdAt, reason, body as text from dead_letter where rowid > ? order by rowid limit ?`,
      )
      .all(after, limit) as unknown as BuriedEvent[];
  }

  purge({ places }: Omit<Of<'purge'>, 'op'>): number {
    let purged = 0;
    this.#transaction(() => {
      if (places === 'all') purged = Number(this.#database.prepare('delete from dead_letter').run().changes);
      else {
        const remove = this.#database.prepare('delete from dead_letter where rowid = ?');
        for (const place of places) purged += Number(remove.run(place).changes);
      }
    });
    return purged;
  }

  /**
   * Moves here what another queue holds. A crash in between leaves some of it in both: it is sent twice, which the
   * service notices. A producer's end comes last, so that it is not declared before its events.
   */
  adopt(other: SpoolFile): void {
    for (const table of ['event', 'gap', 'final', 'dead_letter'] as const) {
      for (;;) {
        const rows = other.#database
          .prepare(`select rowid as rowid, * from ${table} order by rowid limit ${rowsPerMove}`)
          .all() as { [column: string]: SQLInputValue }[];
        if (rows.length === 0) break;
        this.#transaction(() => {
          for (const row of rows) this.#take(table, row);
        });
        other.#transaction(() => {
          other.#database.prepare(`delete from ${table} where rowid <= ?`).run(rows.at(-1)!.rowid!);
        });
      }
    }
  }

  #take(table: string, { rowid: _rowid, row: _row, ...values }: { [column: string]: SQLInputValue }): void {
    const columns = Object.keys(values);
    const sql = `insert or replace into ${table} (${columns.join()}) values (${columns.map(() => '?').join()})`;
    this.#database.prepare(sql).run(...Object.values(values));
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #owing(ownProducerId: string): string | undefined {
    const owing = this.#database
      .prepare(
        `select producer_id from (select producer_id from gap union select producer_id from final)
         where producer_id <> ? order by producer_id limit 1`,
      )
      .get(ownProducerId);
    return (owing as { producer_id: string } | undefined)?.producer_id;
  }

  #gaps(producerId: string): DeclaredGap[] {
    return this.#database
      .prepare(
        `select tenant_id, from_seq as "from", to_seq as "to", reason from gap
         where producer_id = ? order by rowid limit ${gapsPerRead}`,
      )
      .all(producerId) as unknown as DeclaredGap[];
  }

  #final(producerId: string): FinalSequence[] {
    return this.#database
      .prepare('select tenant_id, final_seq from final where producer_id = ?')
      .all(producerId) as unknown as FinalSequence[];
  }

  #replaceGaps(producerId: string, gaps: readonly DeclaredGap[]): void {
    this.#database.prepare('delete from gap where producer_id = ?').run(producerId);
    this.#addGaps(producerId, gaps);
  }

  #addGaps(producerId: string, gaps: readonly DeclaredGap[]): void {
    const insert = this.#database.prepare('insert into gap values (?, ?, ?, ?, ?)');
    for (const gap of gaps) insert.run(producerId, gap.tenant_id, gap.from, gap.to, gap.reason);
  }

  #bury(reason: string, events: readonly SpooledEvent[]): void {
    const insert = this.#database.prepare('insert into dead_letter values (?, ?, ?, ?, ?, ?)');
    for (const event of events) {
      insert.run(event.id, event.tenantId, event.eventType, event.text, reason, event.createdAt);
    }
    this.#database
      .prepare('delete from dead_letter where rowid <= (select max(rowid) from dead_letter) - ?')
      .run(maxBuried);
  }

  #transaction(work: () => void): void {
    this.#database.exec('begin immediate');
    try {
      work();
      this.#database.exec('commit');
    } catch (error) {
      // A failed commit (a full disk) may have ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec('rollback');
      throw error;
    }
  }
}

/**
 * Event bodies are nobody else's business, so only the owner gets in. Node's own `recursive` tries for ever where the file
 * system makes no directories (`/proc`; Node 24), and a thread that does keeps the process from ending.
 */
function makeDirectory(path: string): void {
  const parent = dirname(path);
  for (let parentMade = parent === path; ; parentMade = true) {
    try {
      mkdirSync(path, { mode: 0o700 });
      return;
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EEXIST' && statSync(path).isDirectory()) return;
      if (code !== 'ENOENT' || parentMade) throw cause;
    }
    makeDirectory(parent);
  }
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
