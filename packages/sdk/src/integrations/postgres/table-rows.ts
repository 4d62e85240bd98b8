/** Rows of a table as the database writes them in JSON, and the statements that read and change them. */
import { invalidConfig } from '../../configuration.ts';
import { AuditError } from '../../errors.ts';
import { qualifiedName, quoteName, rowsOf, type SqlClient } from './sql-client.ts';
import { type Condition, conditionText, Parameters } from './sql-text.ts';
import { hasWritten, requireTransaction } from './transaction.ts';

/** A row: the columns under their names in the database. An integer up to 2^53 is a number, any other number is its exact text. */
export type TableRow = Readonly<Record<string, unknown>>;

/** One row before and after a change; `before` is missing for an inserted row, `after` for a deleted one. */
export interface RowPair {
  readonly before?: TableRow | undefined;
  readonly after?: TableRow | undefined;
}

export interface TableSettings {
  readonly table: string;
  readonly schema: string | undefined;
  readonly key: readonly string[];
  readonly maxRows: number;
}

interface ChangedRow {
  readonly place: number;
  readonly row: string;
}

export class TableRows {
  readonly #settings: TableSettings;
  /** The table with its schema. */
  readonly #name: string;
  /** The table in expressions. */
  readonly #table: string;

  constructor(settings: TableSettings) {
    this.#settings = settings;
    this.#name = qualifiedName(settings.table, settings.schema);
    this.#table = quoteName(settings.table);
  }

  async insert(client: SqlClient, rows: readonly TableRow[]): Promise<readonly RowPair[]> {
    this.#requireFew(rows.length);
    if (rows.length === 0) return [];
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    if (columns.length === 0) throw invalidConfig('a row to insert must have a column');
    await requireTransaction(client);
    const parameters = new Parameters();
    const tuples = rows.map((row) => {
      const values = columns.map((column) =>
        row[column] === undefined ? 'default' : parameters.add(row[column]),
      );
      return `(${values.join(', ')})`;
    });
    const text = `insert into ${this.#name} (${columns.map(quoteName).join(', ')}) values ${tuples.join(', ')}
returning to_jsonb(${this.#table}.*)::text as row`;
    const inserted = await rowsOf<{ row: string }>(client, text, parameters.values);
    return inserted.map(({ row }) => ({ after: readRow(row) }));
  }

  async update(client: SqlClient, where: Condition, set: TableRow): Promise<readonly RowPair[]> {
    const before = await this.#lock(client, where);
    const assigned = Object.entries(set).filter(([, value]) => value !== undefined);
    if (assigned.length === 0) throw invalidConfig('set must name a column');
    const parameters = new Parameters();
    const rows = this.#rowsByKey(parameters, before);
    const assignments = assigned.map(([column, value]) => `${quoteName(column)} = ${parameters.add(value)}`);
    const text = `update ${this.#name} set ${assignments.join(', ')} from ${rows.table} where ${rows.condition}`;
    return this.#change(client, before, text, parameters);
  }

  async delete(client: SqlClient, where: Condition): Promise<readonly RowPair[]> {
    const before = await this.#lock(client, where);
    const parameters = new Parameters();
    const rows = this.#rowsByKey(parameters, before);
    const text = `delete from ${this.#name} using ${rows.table} where ${rows.condition}`;
    const pairs = await this.#change(client, before, text, parameters);
    return pairs.map((pair) => ({ before: pair.before }));
  }

  /** The rows, locked until the transaction ends, so that what is recorded as `before` is what the change finds. */
  async #lock(client: SqlClient, where: Condition): Promise<readonly TableRow[]> {
    const { key, maxRows } = this.#settings;
    const parameters = new Parameters();
    // In the order of the key, so that two transactions that lock the same rows wait and do not deadlock.
    const text = `select to_jsonb(${this.#table}.*)::text as row from ${this.#name}
where ${conditionText(where, parameters)} order by ${key.map((column) => `${this.#table}.${quoteName(column)}`).join(', ')}
limit ${maxRows + 1} for update of ${this.#table}`;
    const found = await rowsOf<{ row: string }>(client, text, parameters.values);
    this.#requireFew(found.length);
    return found.map(({ row }) => readRow(row));
  }

  /** Exactly the locked rows are changed, and not those that match the condition by now. */
  #rowsByKey(parameters: Parameters, rows: readonly TableRow[]): { table: string; condition: string } {
    const { key } = this.#settings;
    const keys = rows.map((row) => Object.fromEntries(key.map((column) => [column, row[column]])));
    const columns = key.map((column, index) => `typed.${quoteName(column)} as tallystick_key_${index}`);
    const conditions = key.map(
      (column, index) => `${this.#table}.${quoteName(column)} = tallystick_key_${index}`,
    );
    return {
      // The table's own type reads each key. The limit tells the planner how many keys there are: otherwise it expects 100, and reads
      // the whole of a table with 5,000 rows in place of the index.
      table: `(select place as tallystick_place, ${columns.join(', ')}
from (select value, place
  from jsonb_array_elements(${parameters.add(JSON.stringify(keys))}::jsonb) with ordinality as listed (value, place)
  limit ${keys.length}) as given,
lateral jsonb_populate_record(null::${this.#name}, value) as typed) as tallystick_rows`,
      condition: conditions.join(' and '),
    };
  }

  async #change(
    client: SqlClient,
    before: readonly TableRow[],
    text: string,
    parameters: Parameters,
  ): Promise<readonly RowPair[]> {
    if (before.length === 0) return [];
    const returning = `returning tallystick_place::int as place, to_jsonb(${this.#table}.*)::text as row`;
    // Without an open transaction, the locks are gone by now, and the change would commit without its event.
    const guarded = `${text} and ${hasWritten} ${returning}`;
    const changed = await rowsOf<ChangedRow>(client, guarded, parameters.values);
    if (changed.length === 0) await requireTransaction(client);
    if (new Set(changed.map(({ place }) => place)).size < changed.length) {
      throw invalidConfig(`the key of ${this.#settings.table} does not identify one row; roll back`);
    }
    return changed
      .toSorted((one, other) => one.place - other.place)
      .map(({ place, row }) => ({ before: before[Number(place) - 1]!, after: readRow(row) }));
  }

  #requireFew(count: number): void {
    const { maxRows, table } = this.#settings;
    if (count <= maxRows) return;
    const message = `the change concerns more than ${maxRows} rows of ${table}; nothing was changed`;
    throw new AuditError('TOO_MANY_ROWS', message);
  }
}

/** A text or a number of JSON. */
const textOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JavaScript would change `12.50` and large integers, so those numbers become texts. */
function readRow(json: string): TableRow {
  const exact = json.replaceAll(textOrNumber, (token) => {
    const isExact = token.startsWith('"') || (/^-?\d+$/.test(token) && Number.isSafeInteger(Number(token)));
    return isExact ? token : `"${token}"`;
  });
  return JSON.parse(exact) as TableRow;
}
