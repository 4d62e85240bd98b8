import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { openUnit, Unit, type Units, within } from '../unit-of-work.ts';

const schema = `
  create table if not exists documents (
    place integer primary key autoincrement, kind text, tenant text, id text, document text, unique (kind, tenant, id));
  create table if not exists messages (place integer primary key autoincrement, topic text, message text);
  create index if not exists messages_of_topic on messages (topic, place);
  create table if not exists cursors (topic text, consumer text, place integer, primary key (topic, consumer));
  create table if not exists handled (
    consumer text, message text, at integer, primary key (consumer, message)) without rowid;
  create index if not exists handled_at on handled (at);
  create table if not exists outgoing (
    place integer primary key autoincrement, topic text, id text, key text, value text);
  create table if not exists answers (call text primary key, at integer, answer text) without rowid;
  create index if not exists answers_at on answers (at);
  create table if not exists dead_letters (place integer primary key autoincrement, letter text);
  create table if not exists marks (audit_id text primary key, service text, event text);
  create table if not exists events (
    place integer primary key autoincrement, service text, audit_id text, event text, refusal text);
`;

/**
 * What services keep on disk: documents, messages and the records that are not yet delivered, in one SQLite file. The file belongs to one
 * process at a time. What was written survives a kill of the process, and after a power cut at most the last moments are missing.
 */
export class DurableStore implements Units {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Called after changes that add events or messages. */
  readonly #listeners = new Set<() => void>();

  /** @throws if another process has the file */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#database = new DatabaseSync(join(directory, 'soc.sqlite'));
    this.#database.exec(
      'pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = normal',
    );
    this.#database.exec(schema);
    // The process that wrote these marks ended before it could say how the work ended.
    this.transaction(() => this.#release());
  }

  /** Rows of a query, as it is stored. What an open unit of work changes is not in it. */
  query<R>(sql: string, ...parameters: (string | number)[]): R[] {
    return this.#prepare(sql).all(...parameters) as R[];
  }

  /** For use within {@link change} and {@link transaction}. */
  execute(sql: string, ...parameters: (string | number)[]): void {
    this.#prepare(sql).run(...parameters);
  }

  /** Writes with the unit of work that is open, or at once. */
  change(write: () => void): void {
    const unit = openUnit();
    if (unit !== undefined) {
      unit.writes.push(write);
      return;
    }
    this.transaction(write);
    this.#notify();
  }

  /** Writes at once, whatever unit of work is open. */
  transaction(write: () => void): void {
    this.#database.exec('begin immediate');
    try {
      write();
      this.#database.exec('commit');
    } catch (error) {
      this.#database.exec('rollback');
      throw error;
    }
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (openUnit() !== undefined) return work();
    const unit = new Unit();
    let result: T;
    try {
      result = await within(unit, work);
      // A crash before the end of this transaction: the work was never done. A crash after it: the work is done.
      this.transaction(() => {
        for (const write of unit.writes) write();
        this.#release(unit.marks);
      });
    } catch (error) {
      // The work did not take effect. What it did outside of this process is recorded nevertheless.
      this.transaction(() => this.#release(unit.marks));
      throw error;
    } finally {
      unit.isOpen = false;
      this.#notify();
    }
    for (const task of unit.afterwards) task();
    return result;
  }

  /** Calls `listener` after changes. @returns ends that */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
    this.#statements.clear();
    this.#database.close();
  }

  /** Moves marks to the events that are to be delivered: these, or all. */
  #release(auditIds?: readonly string[]): void {
    const move = (where: string, ...parameters: string[]) => {
      this.execute(
        `insert into events (service, audit_id, event) select service, audit_id, event from marks ${where}`,
        ...parameters,
      );
      this.execute(`delete from marks ${where}`, ...parameters);
    };
    if (auditIds === undefined) move('');
    else for (const id of auditIds) move('where audit_id = ?', id);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
