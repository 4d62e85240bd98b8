import { type FilterCondition, parseActorReference } from '@tallystick/event';
import { columnPage } from './column-page.ts';
import { type OrderedColumn, orderedColumns, scanEnd } from './list-rows.ts';
import { rowsInRange } from './rows-in-range.ts';
import { endOf, type Part, type Scan } from './scan.ts';
import type { Range } from './scan-request.ts';

/**
 * A column's index has a part in each month. In more months than these, the indexes of terms are asked, which have no parts: with 84 months, to
 * plan a statement over all of them takes 10 ms.
 */
export const manyMonths = 6;
/** Most months in which the index of a column is read at once: their partitions are pruned, and a scan is prepared for each. */
const allMonths = 120;
/** Rows of a column's index that are compared at a time. */
const columnRows = 2_000;

/** A value of a column whose index is in the order of the chain. */
export interface ColumnValue {
  readonly column: OrderedColumn;
  readonly value: string;
}

/** The first value that the conditions demand of such a column. */
export function columnValueIn(conditions: readonly FilterCondition[]): ColumnValue | undefined {
  return conditions.map(columnValueOf).find((value) => value !== undefined);
}

function columnValueOf({ parameter, negated, values }: FilterCondition): ColumnValue | undefined {
  const [value] = values;
  if (negated || values.length !== 1 || typeof value !== 'string') return undefined;
  const { compare, field } = parameter;
  if (compare === 'actor' && field.name === 'actor') {
    return { column: 'actor_id', value: parseActorReference(value).id };
  }
  const column = orderedColumns.find((name) => name === field.name);
  if (column === undefined || (compare === 'prefix' && value.endsWith('.*'))) return undefined;
  return { column, value };
}

/** Reads the rows that have one value of a column, by the index of the column. Owned by the request. */
export class ColumnScan {
  readonly #scan: Scan;
  readonly #value: ColumnValue;
  readonly #isAlone: boolean;
  /** In how many months the index is read next, and how many rows are compared at least. */
  #months = manyMonths;
  #compared = 0;

  /** @param isAlone whether the index of the column answers all conditions but ranges */
  constructor(scan: Scan, value: ColumnValue, isAlone: boolean) {
    this.#scan = scan;
    this.#value = value;
    this.#isAlone = isAlone;
  }

  /** @param wanted most rows whose records are read */
  async next(range: Range, wanted: number): Promise<Part> {
    return this.#isAlone ? await this.#readMonths(range, wanted) : await this.#compareRows(range, wanted);
  }

  /** The rows of some months, few at first: most lists begin at the newest records, and need no others. */
  async #readMonths({ low, high }: Range, wanted: number): Promise<Part> {
    const { session, tenantId, request, budget } = this.#scan;
    const { months, order } = request;
    const range =
      order === 'desc'
        ? { low: Math.max(low, months.firstOf(high, 1 - this.#months)), high }
        : { low, high: Math.min(high, months.firstOf(low, this.#months) - 1) };
    const most = Math.min(Math.max(wanted, this.#compared), budget.rows);
    const place = { ...this.#value, most, wanted };
    const { rows, compared, reached } = await columnPage(session, tenantId, request, range, place);
    budget.rows -= Math.max(1, compared);
    if (reached === undefined) this.#months = allMonths;
    else this.#compared = columnRows;
    return { rows, end: reached ?? endOf(range, request) };
  }

  /** The next rows that have the value and meet the other conditions that columns answer. */
  async #compareRows(range: Range, wanted: number): Promise<Part> {
    const { session, tenantId, request, budget } = this.#scan;
    const most = Math.min(columnRows, budget.rows);
    const among = { kind: 'column', ...this.#value, most } as const;
    const { rows, isWhole } = await rowsInRange(this.#scan, among, range, wanted);
    if (!isWhole) {
      budget.rows -= rows.length;
      return { rows, end: rows.at(-1)!.sequence_number };
    }
    const { epoch, order, months } = request;
    const chained = months.between(range.low, range.high);
    const place = { epoch, order, from: range.low, to: range.high, chained, ...this.#value, most };
    const compared = await scanEnd(session, tenantId, place);
    budget.rows -= compared.rows;
    return { rows, end: compared.reached ?? endOf(range, request) };
  }
}
