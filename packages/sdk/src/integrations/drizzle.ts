/** Connects Drizzle with the outbox: its transactions, and changes of rows with the values before and after. */
import { getTableColumns, is, SQL, type SQLChunk, type SQLWrapper, sql } from 'drizzle-orm';
import { getTableConfig, PgDialect, type PgTable } from 'drizzle-orm/pg-core';
import {
  type AuditedTable,
  type AuditedTableOptions,
  auditedTable,
  type RecordedChange,
  type RowEventSource,
} from './postgres/audited-table.ts';
import type { SqlClient } from './postgres/sql-client.ts';
import { type SqlText, sqlText } from './postgres/sql-text.ts';

/** What is used of a transaction of Drizzle, with any of its drivers for PostgreSQL. */
export interface DrizzleTransaction {
  execute(query: SQLWrapper): PromiseLike<unknown>;
  /** A transaction has this method, and a database does not. */
  rollback(): never;
}

/**
 * The connection of a Drizzle transaction, for `recordInTransaction`.
 *
 * @example
 * await db.transaction(async (tx) => {
 *   await tx.update(orders).set({ status: 'refunded' }).where(eq(orders.id, 17));
 *   await outbox.recordInTransaction(drizzleClient(tx), event);
 * });
 */
export function drizzleClient(tx: DrizzleTransaction): SqlClient {
  return {
    async query(text, values) {
      const result = await tx.execute(statement(text, values));
      // Some drivers return the rows themselves.
      const rows = Array.isArray(result) ? (result as unknown[]) : (result as { rows: unknown[] }).rows;
      return { rows };
    },
  };
}

/** The statement with each `$n` as a parameter. */
function statement(text: string, values: readonly unknown[]): SQLWrapper {
  const chunks: SQLChunk[] = [];
  let from = 0;
  for (const { index, 0: place, 1: number } of text.matchAll(/\$(\d+)/g)) {
    chunks.push(sql.raw(text.slice(from, index)), sql.param(values[Number(number) - 1]));
    from = index + place.length;
  }
  return sql.join([...chunks, sql.raw(text.slice(from))]);
}

/** Options of {@link auditedDrizzleTable}. Columns are named as in the database. */
export type AuditedDrizzleTableOptions = Omit<AuditedTableOptions, 'table' | 'schema'>;

/** New values of columns, under the names of the schema in TypeScript; a value may be SQL. */
export type DrizzleValues<T extends PgTable> = {
  readonly [C in keyof T['$inferInsert']]?: T['$inferInsert'][C] | SQL | undefined;
};

/** As `AuditedTable`, with a Drizzle table, Drizzle's conditions and a Drizzle transaction. */
export class AuditedDrizzleTable<T extends PgTable> {
  readonly #table: T;
  readonly #audited: AuditedTable;

  /** @throws {AuditError} `CONFIG_INVALID` for an invalid option */
  constructor(table: T, options: AuditedDrizzleTableOptions) {
    const { name, schema, columns, primaryKeys } = getTableConfig(table);
    const primary = columns.filter((column) => column.primary).map((column) => column.name);
    const key = primary.length > 0 ? primary : (primaryKeys[0]?.columns.map((column) => column.name) ?? 'id');
    this.#table = table;
    this.#audited = auditedTable({ key, ...options, table: name, schema });
  }

  /** Inserts rows; see `AuditedTable.insert`. */
  insert(
    tx: DrizzleTransaction,
    rows: T['$inferInsert'] | readonly T['$inferInsert'][],
    event: RowEventSource,
  ): Promise<readonly RecordedChange[]> {
    const list = Array.isArray(rows) ? (rows as readonly T['$inferInsert'][]) : [rows];
    const values = list.map((row) => this.#withDefaults(row as Record<string, unknown>));
    return this.#audited.insert(drizzleClient(tx), values, event);
  }

  /** Updates the rows that match; see `AuditedTable.update`. */
  update(
    tx: DrizzleTransaction,
    { where, set }: { readonly where: SQL | undefined; readonly set: DrizzleValues<T> },
    event: RowEventSource,
  ): Promise<readonly RecordedChange[]> {
    const change = { where: condition(where), set: this.#valuesOf({ ...this.#onUpdate(), ...set }) };
    return this.#audited.update(drizzleClient(tx), change, event);
  }

  /** Deletes the rows that match; see `AuditedTable.delete`. */
  delete(
    tx: DrizzleTransaction,
    { where }: { readonly where: SQL | undefined },
    event: RowEventSource,
  ): Promise<readonly RecordedChange[]> {
    return this.#audited.delete(drizzleClient(tx), { where: condition(where) }, event);
  }

  /** `$onUpdate` of the columns, as Drizzle's own `update` applies it. */
  #onUpdate(): Record<string, unknown> {
    const columns = Object.entries(getTableColumns(this.#table));
    const generated = columns.filter(([, column]) => column.onUpdateFn !== undefined);
    return Object.fromEntries(generated.map(([name, column]) => [name, column.onUpdateFn!()]));
  }

  /** `$default` of the columns, as Drizzle's own `insert` applies it. */
  #withDefaults(row: Record<string, unknown>): Record<string, unknown> {
    const columns = Object.entries(getTableColumns(this.#table));
    const missing = columns.filter(
      ([name, column]) => row[name] === undefined && (column.defaultFn ?? column.onUpdateFn) !== undefined,
    );
    const made = missing.map(([name, column]) => [name, (column.defaultFn ?? column.onUpdateFn)!()]);
    return this.#valuesOf({ ...row, ...Object.fromEntries(made) });
  }

  /** The values under the names in the database, as Drizzle would send them. */
  #valuesOf(values: Record<string, unknown>): Record<string, unknown> {
    const columns = getTableColumns(this.#table);
    const members = Object.entries(values).flatMap(([name, value]) => {
      const column = columns[name];
      if (column === undefined || value === undefined) return [];
      if (is(value, SQL)) return [[column.name, textOf(value)] as const];
      return [[column.name, value === null ? null : column.mapToDriverValue(value)] as const];
    });
    return Object.fromEntries(members);
  }
}

/** Creates an {@link AuditedDrizzleTable}. Its key is the table's primary key. */
export function auditedDrizzleTable<T extends PgTable>(
  table: T,
  options: AuditedDrizzleTableOptions,
): AuditedDrizzleTable<T> {
  return new AuditedDrizzleTable(table, options);
}

const dialect = new PgDialect();

function textOf(part: SQL): SqlText {
  const { sql: text, params } = dialect.sqlToQuery(part);
  return sqlText(text, params);
}

/** A missing condition chooses no rows here: `and()` gives `undefined`, which Drizzle's own methods take for all rows. */
function condition(where: SQL | undefined): SqlText | { readonly [column: string]: never } {
  return where === undefined ? {} : textOf(where);
}
