import { type FilterCondition, parseActorReference } from '@tallystick/event';
import { columnPage } from './column-page.ts';
import { type OrderedColumn, orderedColumns } from './ordered-columns.ts';
import type { ColumnProgress } from './path-costs.ts';
import { endOf, type Part, type Scan } from './scan.ts';
import type { Range } from './scan-request.ts';

/** Months in which the index of a column is read first: it has a part in each month. */
const fewMonths = 6;
/** Most months in which it is read at once: their partitions are pruned, and a scan is prepared for each. */
const allMonths = 120;
/**
 * Most rows of the index that are compared at a time, and how many at first where there are other conditions. These show how frequent the value is, and
 * how many of its rows match: with 256 of them, a page of a frequent value lost 1.4 ms to know it.
 */
const columnRows = 4_000;
const firstRows = 64;

/** A value of a column whose index is in the order of the chain. */
export interface ColumnValue {
  readonly column: OrderedColumn;
  readonly value: string;
}

/** The values that the conditions demand of such columns, those first that fewer records should have. */
export function columnValuesIn(conditions: readonly FilterCondition[]): ColumnValue[] {
  return conditions
    .flatMap((condition) => columnValueOf(condition) ?? [])
    .sort((a, b) => orderedColumns.indexOf(b.column) - orderedColumns.indexOf(a.column));
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
  /** Whether some months had fewer rows than were asked for. */
  #isRare = false;
  /** How many rows are compared next, at least. */
  #rows: number;
  #compared = 0;
  #found = 0;
  #passed = 0;

  /** @param isAlone whether the index of the column answers all conditions but ranges */
  constructor(scan: Scan, value: ColumnValue, isAlone: boolean) {
    this.#scan = scan;
    this.#value = value;
    this.#isAlone = isAlone;
    this.#rows = isAlone ? 0 : firstRows;
  }

  /** What was read so far, before this part of the range. */
  progress({ low, high }: Range): ColumnProgress {
    return {
      compared: this.#compared,
      found: this.#found,
      passed: this.#passed,
      left: Math.max(0, high - low + 1),
      missing: Math.max(1, this.#scan.request.limit + 1 - this.#found),
    };
  }

  /**
   * The rows of some months, few at first: most lists begin at the newest records, and need no others.
   *
   * @param wanted most rows whose records are read
   */
  async next({ low, high }: Range, wanted: number): Promise<Part> {
    const { session, tenantId, request, budget } = this.#scan;
    const { order } = request;
    const rest = { low, high };
    const few = this.#within(rest, fewMonths);
    const range = this.#needsMore(few) ? this.#within(rest, allMonths) : few;
    const most = Math.min(this.#isAlone ? Math.max(wanted, this.#rows) : this.#rows, budget.rows);
    const place = { ...this.#value, most, wanted };
    const { rows, compared, reached } = await columnPage(session, tenantId, request, range, place);
    budget.rows -= Math.max(1, compared);
    if (reached === undefined) this.#isRare = true;
    const end = reached ?? endOf(range, request);
    this.#compared += compared;
    this.#found += rows.length;
    if (reached !== undefined || !this.#isAlone) this.#rows = this.#nextRows(request.limit);
    this.#passed += order === 'desc' ? high - end + 1 : end - low + 1;
    return { rows, end };
  }

  /** The beginning of a range, in some months. */
  #within({ low, high }: Range, count: number): Range {
    const { months, order } = this.#scan.request;
    return order === 'desc'
      ? { low: Math.max(low, months.firstOf(high, 1 - count)), high }
      : { low, high: Math.min(high, months.firstOf(low, count) - 1) };
  }

  /** Whether a range should have fewer rows than are compared next. */
  #needsMore({ low, high }: Range): boolean {
    return this.#isRare || this.#rows * this.#passed > this.#compared * (high - low + 1);
  }

  /** How many rows to compare next: as many as should have the rest of the page. */
  #nextRows(limit: number): number {
    const missing = Math.max(1, limit + 1 - this.#found);
    // A quarter more, so that a page seldom takes another step.
    const wanted = Math.ceil((1.25 * missing * this.#compared) / Math.max(1, this.#found));
    return Math.min(columnRows, Math.max(firstRows, wanted));
  }
}
