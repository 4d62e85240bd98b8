import { parseTimestamp } from '@tallystick/event';
import { plannedByValues, plannedOnce, type Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { anyTime } from './chain-months.ts';
import { inOrderOfIndex } from './index-order.ts';
import { rowsAt } from './rows-at.ts';
import { beginsInTime, endOf, type Part, type Scan } from './scan.ts';
import type { Range } from './scan-request.ts';

const findByTimeSql = readSql('find-by-time');

/**
 * Most records of a span of time that are looked up at once. For a longer span, the chain is read, in blocks of which most records may be of another
 * time: a day with 5,600 records cost over 20,000 of them. So more are looked up where the months say that the span has few.
 */
const timedRecords = 500;
const shortSpan = 6_000;

/** Looks up the records of events that happened in a short span of time. Owned by the request. */
export class TimeLookup {
  readonly #scan: Scan;
  /** Records of a short span of time, in the order of the chain; undefined before they were looked up, null where they are not. */
  #timed: readonly number[] | null | undefined;
  /** The first record after the month in which a list ends, and the records from there on that happened before it ends. */
  #lateFrom: number | null | undefined;
  #lateTimes: readonly number[] | null | undefined;

  constructor(scan: Scan) {
    this.#scan = scan;
    if (beginsInTime(scan.request)) this.#timed = null;
  }

  /**
   * @param wanted most rows
   * @returns undefined for a long span of time, and for a list that finds its records at its beginning ({@link beginsInTime})
   */
  async next(range: Range, wanted: number): Promise<Part | undefined> {
    if (this.#timed === undefined) this.#timed = await this.#find(range);
    return this.#timed === null ? undefined : await this.#follow(this.#timed, range, wanted);
  }

  /**
   * Of a list that ends in the past, the newest first, the records that were chained in later months: events that came late. They are few, and
   * looked up by their times, so the months in between are not read.
   *
   * @param wanted most rows
   * @returns undefined where there is no such part at the beginning of the range
   */
  async nextLate({ low, high }: Range, wanted: number): Promise<Part | undefined> {
    const { filters, months, order } = this.#scan.request;
    if (order !== 'desc' || filters.to === undefined || this.#lateFrom === null) return undefined;
    this.#lateFrom ??= Math.max(low, months.around(parseTimestamp(filters.to)).high);
    if (this.#lateFrom > high) return undefined;
    const late = { low: this.#lateFrom, high };
    this.#lateTimes ??= await this.#find(late);
    if (this.#lateTimes !== null) return await this.#follow(this.#lateTimes, late, wanted);
    // There are too many of them, and so of all in the span of time.
    this.#lateFrom = null;
    this.#timed = null;
    return undefined;
  }

  /** @returns null where there are too many */
  async #find({ low, high }: Range): Promise<readonly number[] | null> {
    const { session, tenantId, request, budget } = this.#scan;
    const { epoch, filters, months } = request;
    const { from = anyTime.from, to = anyTime.to } = filters;
    const expected = months.expected(parseTimestamp(from), parseTimestamp(to));
    const timed = expected <= shortSpan ? 2 * shortSpan : timedRecords;
    const most = Math.min(timed, Math.floor(budget.rows / 2));
    const chained = months.between(low, high);
    const values = [tenantId, from, to, most + 1, chained.from, chained.to, epoch];
    const statement: Statement<{ readonly read: number; readonly sequences: string }> = {
      name: 'tally_find_by_time',
      text: findByTimeSql,
      values,
    };
    // Otherwise the planner may read the whole month where the table is small or its statistics are old.
    const [, , [found]] = await session.pipeline(
      plannedOnce,
      { text: inOrderOfIndex('off') },
      statement,
      { text: inOrderOfIndex('on') },
      plannedByValues,
    );
    const { read, sequences } = found!;
    budget.rows -= read;
    if (read > most) return null;
    return sequences
      .split(',')
      .flatMap((text) => (text === '' ? [] : Number(text)))
      .filter((sequence) => sequence >= low && sequence <= high)
      .sort((a, b) => a - b);
  }

  /** The rows of the next records that were looked up. */
  async #follow(timed: readonly number[], range: Range, wanted: number): Promise<Part> {
    const { session, tenantId, request } = this.#scan;
    const left = timed.filter((sequence) => sequence >= range.low && sequence <= range.high);
    const sequences = request.order === 'desc' ? left.slice(-wanted).reverse() : left.slice(0, wanted);
    const isLast = sequences.length === left.length;
    if (sequences.length === 0) return { rows: [], end: endOf(range, request) };
    const bounds = { low: Math.min(...sequences), high: Math.max(...sequences) };
    const { rows, cutAt } = await rowsAt(session, tenantId, request, sequences, wanted);
    return { rows, end: cutAt ?? endOf(isLast ? range : bounds, request) };
  }
}
