/** Changes of rows whose audit events have the values before and after, in the transaction of the change. */
import { limits } from '@tallystick/event';
import { invalidConfig, readOptions, requireInteger } from '../../configuration.ts';
import type { AnyEventInput } from '../../event/input.ts';
import type { OutboxRecord } from './outbox.ts';
import type { SqlClient } from './sql-client.ts';
import type { Condition } from './sql-text.ts';
import { type RowPair, type TableRow, TableRows } from './table-rows.ts';

/** What is used of an outbox, with any taxonomy. */
export interface RowOutbox {
  recordInTransaction(client: SqlClient, events: never): Promise<unknown>;
}

/** Options of {@link AuditedTable}. */
export interface AuditedTableOptions {
  /** The outbox into which the events are written. */
  readonly outbox: RowOutbox;
  readonly table: string;
  /** The table's schema. @defaultValue the first schema of `search_path` that has the table */
  readonly schema?: string | undefined;
  /** The columns that identify a row. @defaultValue 'id' */
  readonly key?: string | readonly string[] | undefined;
  /** Which columns' values are recorded: these alone, or all except these. @defaultValue all */
  readonly columns?:
    | { readonly only: readonly string[] }
    | { readonly except: readonly string[] }
    | undefined;
  /** How many rows one call may change. With more, it changes none. At most 1000. @defaultValue 100 */
  readonly maxRows?: number | undefined;
  /** `target_type` of the events. @defaultValue the name of the table */
  readonly targetType?: string | undefined;
}

/** What happened to a row. */
export type RowOperation = 'inserted' | 'updated' | 'deleted';

/** The change of one row, with the columns that may be recorded. */
export interface RowChange {
  readonly operation: RowOperation;
  readonly table: string;
  /** The columns of the key, before the change. */
  readonly key: TableRow;
  /** Values before the change: of the changed columns, or of all columns of a deleted row. */
  readonly before?: TableRow | undefined;
  /** Values after the change: of the changed columns, or of all columns of an inserted row. */
  readonly after?: TableRow | undefined;
  /** The changed columns whose values are not recorded. */
  readonly hidden?: readonly string[] | undefined;
}

/** The other members of the event: who changed the row, for which tenant, and so on. */
export type RowEvent = Omit<
  AnyEventInput,
  'targetType' | 'targetId' | 'auditId' | 'eventType' | 'actionType'
> & {
  /** @defaultValue 'row.inserted', 'row.updated' or 'row.deleted' */
  readonly eventType?: string | undefined;
};

/** The event of each changed row: the same for all, or made from the change. */
export type RowEventSource = RowEvent | ((change: RowChange) => RowEvent);

/** A change with the `audit_id` of its event. */
export interface RecordedChange extends RowChange {
  readonly auditId: string;
}

/**
 * A table whose changes are recorded. Each method locks the rows, changes them and writes one event per changed row into the outbox,
 * in the transaction that is open on the connection. The event's `context` is the {@link RowChange}.
 */
export class AuditedTable {
  readonly #rows: TableRows;
  readonly #outbox: RowOutbox;
  readonly #table: string;
  readonly #key: readonly string[];
  readonly #targetType: string;
  readonly #isRecorded: (column: string) => boolean;

  /** @throws {AuditError} `CONFIG_INVALID` for an invalid option */
  constructor(given: AuditedTableOptions) {
    const defaults = { key: 'id', maxRows: 100 } as const;
    const options = readOptions<AuditedTableOptions, typeof defaults>('auditedTable', given, defaults, [
      'outbox',
      'table',
      'schema',
      'columns',
      'targetType',
    ]);
    const { table, schema, maxRows, outbox, targetType = table } = options;
    this.#key = typeof options.key === 'string' ? [options.key] : options.key;
    if (!Array.isArray(this.#key) || this.#key.length === 0) throw invalidConfig('key must name a column');
    requireInteger('maxRows', maxRows, 1, 1_000);
    if (typeof outbox?.recordInTransaction !== 'function') throw invalidConfig('outbox must be an outbox');
    this.#outbox = outbox;
    this.#table = table;
    this.#targetType = targetType;
    this.#isRecorded = recordedColumns(options.columns);
    this.#rows = new TableRows({ table, schema, key: this.#key, maxRows });
  }

  /**
   * Inserts rows. A column that is missing or `undefined` gets its default.
   *
   * @throws {AuditError} `TOO_MANY_ROWS`, or as `recordInTransaction` does. Let the error end the transaction.
   */
  async insert(
    client: SqlClient,
    rows: TableRow | readonly TableRow[],
    event: RowEventSource,
  ): Promise<readonly RecordedChange[]> {
    const list = Array.isArray(rows) ? (rows as readonly TableRow[]) : [rows as TableRow];
    return this.#record(client, 'inserted', await this.#rows.insert(client, list), event);
  }

  /**
   * Updates the rows that match. A row that has the same values afterwards has no event. The values are those after BEFORE triggers.
   *
   * @throws {AuditError} `TOO_MANY_ROWS`, or as `recordInTransaction` does. Let the error end the transaction.
   */
  async update(
    client: SqlClient,
    { where, set }: { readonly where: Condition; readonly set: TableRow },
    event: RowEventSource,
  ): Promise<readonly RecordedChange[]> {
    return this.#record(client, 'updated', await this.#rows.update(client, where, set), event);
  }

  /**
   * Deletes the rows that match.
   *
   * @throws {AuditError} `TOO_MANY_ROWS`, or as `recordInTransaction` does. Let the error end the transaction.
   */
  async delete(
    client: SqlClient,
    { where }: { readonly where: Condition },
    event: RowEventSource,
  ): Promise<readonly RecordedChange[]> {
    return this.#record(client, 'deleted', await this.#rows.delete(client, where), event);
  }

  async #record(
    client: SqlClient,
    operation: RowOperation,
    pairs: readonly RowPair[],
    event: RowEventSource,
  ): Promise<readonly RecordedChange[]> {
    const changes = pairs
      .map((pair) => this.#changeOf(operation, pair))
      .filter((change) => change !== undefined);
    const events = changes.map((change) => this.#eventOf(change, event));
    const recorded = await this.#outbox.recordInTransaction(client, events as never);
    const records = recorded as readonly OutboxRecord[];
    return changes.map((change, index) => ({ ...change, auditId: records[index]!.id }));
  }

  #changeOf(operation: RowOperation, { before, after }: RowPair): RowChange | undefined {
    const columns = Object.keys(after ?? before ?? {});
    const changed = columns.filter(
      (column) => JSON.stringify(before?.[column]) !== JSON.stringify(after?.[column]),
    );
    if (changed.length === 0) return undefined;
    const recorded = changed.filter(this.#isRecorded);
    const hidden = changed.filter((column) => !this.#isRecorded(column));
    const row = before ?? after!;
    return {
      operation,
      table: this.#table,
      key: pick(row, this.#key),
      ...(before !== undefined && { before: pick(before, recorded) }),
      ...(after !== undefined && { after: pick(after, recorded) }),
      ...(hidden.length > 0 && { hidden }),
    };
  }

  #eventOf(change: RowChange, source: RowEventSource): AnyEventInput {
    const given = typeof source === 'function' ? source(change) : source;
    const targetId = this.#key.map((column) => String(change.key[column])).join('/');
    return {
      outcome: 'success',
      ...given,
      eventType: given.eventType ?? `row.${change.operation}`,
      targetType: this.#targetType,
      targetId: targetId.slice(0, limits.maxIdentifierLength),
      context: { ...given.context, ...change },
    };
  }
}

function recordedColumns(columns: AuditedTableOptions['columns']): (column: string) => boolean {
  if (columns === undefined) return () => true;
  const names: unknown = 'only' in columns ? columns.only : columns.except;
  if (!Array.isArray(names) || Object.keys(columns).length !== 1)
    throw invalidConfig('columns must be { only: [names] } or { except: [names] }');
  const set: ReadonlySet<unknown> = new Set(names);
  return 'only' in columns ? (column) => set.has(column) : (column) => !set.has(column);
}

function pick(row: TableRow, columns: readonly string[]): TableRow {
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}

/**
 * Creates an audited table.
 *
 * @example
 * const orders = auditedTable({ outbox, table: 'orders', columns: { except: ['card_number'] } });
 * await orders.update(client, { where: { id: 17 }, set: { status: 'refunded' } }, { tenantId, actorType: 'user', actorId });
 */
export function auditedTable(options: AuditedTableOptions): AuditedTable {
  return new AuditedTable(options);
}
