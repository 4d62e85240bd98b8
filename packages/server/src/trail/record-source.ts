import {
  type FilterCondition,
  parseActorReference,
  parseTimestamp,
  termBlockRecords,
} from '@tallystick/event';
import { plannedByValues, plannedOnce, type Session, type Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { BlockQueue, type BlockStep, blockOf } from './block-queue.ts';
import { anyTime } from './chain-months.ts';
import { columnPage } from './column-page.ts';
import { filtersContent } from './filters.ts';
import {
  countGroups,
  entriesOfBlock,
  findCandidates,
  maxBlocks,
  type TermGroups,
  termAlternatives,
} from './find-candidates.ts';
import { inOrderOfIndex } from './index-order.ts';
import {
  type Among,
  type ListedRow,
  listRows,
  type OrderedColumn,
  orderedColumns,
  scanEnd,
} from './list-rows.ts';
import { isComparedWithRecord, type RowsAt, rowsAt } from './rows-at.ts';
import type { ScanBudget } from './scan-budget.ts';
import type { Range, ScanRequest } from './scan-request.ts';
import { conditionsWithin } from './view.ts';

const findByTimeSql = readSql('find-by-time');

/** Rows at the beginning of a range, by its order, that meet the conditions that columns answer. */
export interface Part {
  readonly rows: readonly ListedRow[];
  /** The position up to which these are all such rows. */
  readonly end: number;
}

/** Records that the first step of a walk covers, and most that one step covers. */
const walkedAtFirst = 512;
const walkedAtMost = 8_192;
/**
 * A column's index has a part in each month. In more months than these, the indexes of terms are asked, which have no parts: with 84 months, to
 * plan a statement over all of them takes 10 ms.
 */
const manyMonths = 6;
/** Most months in which the index of a column is read at once: their partitions are pruned, and a scan is prepared for each. */
const allMonths = 120;
/** Most blocks of the first search by the summaries. */
const firstBlocks = 128;
/** Most entries of an index that one search for several terms compares. */
const comparedEntries = 250_000;
/**
 * Blocks of which one is looked at to know how many entries the others have. Fewer than the first search by the summaries covers: the newest block
 * may have no entries, and the next search up to a thousand blocks.
 */
const blocksAlike = 64;
/** Rows of a column's index that are compared at a time. */
const columnRows = 2_000;
/**
 * Most records of a span of time that are looked up at once. For a longer span, the chain is read, in blocks of which most records may be of another
 * time: a day with 5,600 records cost over 20,000 of them. So more are looked up where the months say that the span has few.
 */
const timedRecords = 500;
const shortSpan = 6_000;

/**
 * Reads the rows of a range that may match the filters, part by part. Each part reads a bounded number of rows:
 *
 * - from the field index and the search index, the candidates of some blocks of records;
 * - for one value of a column whose index is in the order of the chain, the next rows that have it;
 * - for a short span of time, the records of events that happened in it;
 * - else, and where the index has not come yet, the next records of the chain. So a page has what was written a moment ago.
 *
 * Candidates and the reach of the index are of one snapshot, and each further search looks at the reach again. So a rebuild of the index,
 * which may swap or clear it between two searches, hides no record.
 */
export class RecordSource {
  readonly #session: Session;
  readonly #tenantId: string;
  readonly #request: ScanRequest;
  readonly #budget: ScanBudget;
  readonly #newestFirst: boolean;
  readonly #conditions: readonly FilterCondition[];
  /** What the indexes of terms are asked for; none where they can't answer. */
  readonly #alternatives: readonly TermGroups[];
  readonly #column: ColumnValue | undefined;
  /** Whether the index of the column answers all conditions but ranges. */
  readonly #isColumnAlone: boolean;
  readonly #queue: BlockQueue;
  /** Most blocks in which the next search looks. */
  #blocks = 1;
  /** How many pages of candidates the next search finds. More where the last ones were all of another time. */
  #width = 1;
  /** Candidates of the searches that found all in their blocks. */
  #found = 0;
  /** Whether a search looks for several terms at once. */
  readonly #isJoined: boolean;
  /** What such a search compares in a block, by one that was searched, and in how many further blocks this is taken for granted. */
  #entries = 0;
  #unknownBlocks = 0;
  /** Whether the summaries say in which blocks to look. Not for the first block: a page of a frequent value ends there. */
  #asksSummaries = false;
  #walked: number;
  /** In how many months the index of a column is read next, and how many rows are compared at least. */
  #months = manyMonths;
  #compared = 0;
  /** Records of a short span of time, in the order of the chain; undefined before they were looked up, null for a long span. */
  #timed: readonly number[] | null | undefined;
  #indexedTo: number | undefined;
  /** The first record after the month in which a list ends, and the records from there on that happened before it ends. */
  #lateFrom: number | null | undefined;
  #lateTimes: readonly number[] | null | undefined;

  constructor(session: Session, tenantId: string, request: ScanRequest, budget: ScanBudget) {
    this.#session = session;
    this.#tenantId = tenantId;
    this.#request = request;
    this.#budget = budget;
    this.#newestFirst = request.order === 'desc';
    this.#conditions = conditionsWithin(request.filters, request.view);
    const alternatives = termAlternatives(this.#conditions, request.search);
    this.#column = this.#conditions.map(columnValueOf).find((value) => value !== undefined);
    // The column's own index answers one value faster. More conditions are met together in the field index only.
    const isColumnFirst =
      this.#column !== undefined && alternatives.length === 1 && countGroups(alternatives[0]!) === 1;
    this.#isColumnAlone = isColumnFirst && this.#conditions.filter(isComparedWithRecord).length === 1;
    const hasFewMonths = request.months.count(request.from, request.to) <= manyMonths;
    this.#alternatives = this.#isColumnAlone || (isColumnFirst && hasFewMonths) ? [] : alternatives;
    this.#isJoined = this.#alternatives.some((groups) => countGroups(groups) > 1);
    this.#queue = new BlockQueue(session, tenantId, request, this.#alternatives, budget);
    this.#walked = Math.max(walkedAtFirst, request.limit + 1);
    const { from, to } = request.filters;
    // A list of the newest records without an end finds them at its beginning.
    if (to === undefined && (from === undefined || this.#newestFirst)) this.#timed = null;
    // Between its beginning and the first record that happened in time, there may be many others.
    else this.#asksSummaries = true;
  }

  /** The last record that the field index has, as far as it was asked; undefined if it can't answer any of the filters. */
  get indexedTo(): number | undefined {
    return this.#asksIndex ? (this.#indexedTo ?? -1) : undefined;
  }

  /** @param wanted most rows that the caller looks at; more may come from the index */
  async next(range: Range, wanted: number): Promise<Part> {
    const late = await this.#late(range);
    if (late !== null) return await this.#followTimes(late.sequences, { ...range, low: late.low }, wanted);
    const next = this.#newestFirst ? range.high : range.low;
    if (this.#asksIndex && (this.#indexedTo === undefined || next <= this.#indexedTo)) {
      const part = await this.#search(range, wanted);
      if (part !== undefined) return part;
    }
    if (!this.#asksIndex && this.#column === undefined) {
      if (this.#timed === undefined) this.#timed = await this.#findByTime(range);
      if (this.#timed !== null) return await this.#followTimes(this.#timed, range, wanted);
    }
    // The index does not reach this place: the chain is read, down to where the index does.
    const low = this.#newestFirst ? Math.max(range.low, (this.#indexedTo ?? -1) + 1) : range.low;
    const rest = { low, high: range.high };
    if (this.#column !== undefined && this.#isColumnAlone)
      return await this.#readColumn(this.#column, rest, wanted);
    if (this.#column !== undefined) return await this.#followColumn(this.#column, rest, wanted);
    if (this.#asksIndex || !this.#asksSummaries) return await this.#walk(rest, wanted);
    // The blocks before the next one that has an event in time are left out.
    const { blocks, range: upTo } = await this.#queue.next(rest, 1);
    if (blocks.length === 0) return { rows: [], end: this.#endOf(upTo) };
    this.#walked = Math.max(this.#walked, termBlockRecords);
    return await this.#walk(within(blocks[0]!, upTo), wanted);
  }

  get #asksIndex(): boolean {
    return this.#alternatives.length > 0;
  }

  async #search(range: Range, wanted: number): Promise<Part | undefined> {
    const { epoch, limit } = this.#request;
    const next = this.#newestFirst ? range.high : range.low;
    if (this.#budget.hasSearched && this.#budget.searches < this.#alternatives.length) {
      this.#budget.searches = 0;
      return { rows: [], end: this.#newestFirst ? next + 1 : next - 1 };
    }
    this.#budget.hasSearched = true;
    const step = this.#asksSummaries
      ? await this.#queue.next(range, this.#blocks)
      : firstBlock(range, this.#newestFirst);
    this.#asksSummaries = true;
    const { low: first, high: last } = step.range;
    if (step.blocks.length === 0) {
      // Every block here has a summary, and none of them a match.
      this.#indexedTo ??= last;
      return { rows: [], end: this.#endOf(step.range) };
    }
    const most = Math.max(64, Math.min(1_024, (limit + 1) * this.#width));
    this.#budget.searches -= this.#alternatives.length;
    const { sequences, isCut, indexedTo } = await findCandidates(
      this.#session,
      this.#tenantId,
      this.#alternatives,
      { epoch, blocks: step.blocks, plain: step.plain, first, last, newestFirst: this.#newestFirst, most },
    );
    this.#indexedTo = indexedTo;
    if (next > indexedTo) return undefined;
    if (isCut) this.#blocks = 1;
    else {
      this.#unknownBlocks -= step.blocks.length;
      if (this.#unknownBlocks <= 0) {
        const place = { epoch, block: step.blocks.at(-1)! };
        this.#entries = await entriesOfBlock(this.#session, this.#tenantId, this.#alternatives, place);
        this.#unknownBlocks = blocksAlike;
      }
      this.#budget.entries -= this.#entries * step.blocks.length;
      this.#blocks = this.#nextBlocks(sequences.length, step.blocks.length, most);
    }
    const searched = this.#newestFirst ? first : Math.min(last, indexedTo);
    if (sequences.length === 0) return { rows: [], end: searched };
    this.#budget.rows -= sequences.length;
    const { rows, cutAt } = await this.#rowsAt(sequences, wanted);
    this.#width = rows.length === 0 ? this.#width * 4 : 1;
    return { rows, end: cutAt ?? (isCut ? sequences.at(-1)! : searched) };
  }

  /** In how many blocks to look next. A search sorts what it finds, so there are as many as should have the rest of a page. */
  #nextBlocks(found: number, blocks: number, most: number): number {
    this.#found += found;
    const missing = most - (this.#found % most);
    // By its summary, a block has a match of each condition. Records that meet several conditions may be fewer.
    const expected = this.#isJoined ? Math.max(found, 1) : Math.max(found, blocks);
    // A quarter more, so that a page seldom takes another search.
    const wanted = Math.ceil((1.25 * missing * blocks) / expected);
    const left = Math.min(comparedEntries, this.#budget.entries);
    const affordable = Math.floor(left / Math.max(1, this.#entries));
    return Math.max(
      1,
      Math.min(wanted, affordable, Math.max(firstBlocks, blocks * 8), maxBlocks(this.#alternatives)),
    );
  }

  /** The rows of some months, few at first: most lists begin at the newest records, and need no others. */
  async #readColumn({ column, value }: ColumnValue, { low, high }: Range, wanted: number): Promise<Part> {
    const { months } = this.#request;
    const range = this.#newestFirst
      ? { low: Math.max(low, months.firstOf(high, 1 - this.#months)), high }
      : { low, high: Math.min(high, months.firstOf(low, this.#months) - 1) };
    const most = Math.min(Math.max(wanted, this.#compared), this.#budget.rows);
    const place = { column, value, most, wanted };
    const { rows, compared, reached } = await columnPage(
      this.#session,
      this.#tenantId,
      this.#request,
      range,
      place,
    );
    this.#budget.rows -= Math.max(1, compared);
    if (reached === undefined) this.#months = allMonths;
    else this.#compared = columnRows;
    return { rows, end: reached ?? this.#endOf(range) };
  }

  async #followColumn({ column, value }: ColumnValue, range: Range, wanted: number): Promise<Part> {
    const most = Math.min(columnRows, this.#budget.rows);
    const { rows, isWhole } = await this.#read({ kind: 'column', column, value, most }, range, wanted);
    if (!isWhole) {
      this.#budget.rows -= rows.length;
      return { rows, end: rows.at(-1)!.sequence_number };
    }
    const { epoch, order, months } = this.#request;
    const chained = months.between(range.low, range.high);
    const place = { epoch, order, from: range.low, to: range.high, chained, column, value, most };
    const compared = await scanEnd(this.#session, this.#tenantId, place);
    this.#budget.rows -= compared.rows;
    return { rows, end: compared.reached ?? this.#endOf(range) };
  }

  /**
   * Of a list that ends in the past, the newest first, the records that were chained in later months: events that came late. They are few, and
   * looked up by their times, so the months in between are not read.
   *
   * @returns null where there is no such part at the beginning of the range
   */
  async #late({
    low,
    high,
  }: Range): Promise<{ readonly low: number; readonly sequences: readonly number[] } | null> {
    const { filters, months } = this.#request;
    if (!this.#newestFirst || filters.to === undefined || this.#lateFrom === null) return null;
    this.#lateFrom ??= Math.max(low, months.around(parseTimestamp(filters.to)).high);
    if (this.#lateFrom > high) return null;
    this.#lateTimes ??= await this.#findByTime({ low: this.#lateFrom, high });
    if (this.#lateTimes !== null) return { low: this.#lateFrom, sequences: this.#lateTimes };
    // There are too many of them, and so of all in the span of time.
    this.#lateFrom = null;
    this.#timed = null;
    return null;
  }

  async #findByTime({ low, high }: Range): Promise<readonly number[] | null> {
    const { epoch, filters, months } = this.#request;
    const { from = anyTime.from, to = anyTime.to } = filters;
    const expected = months.expected(parseTimestamp(from), parseTimestamp(to));
    const timed = expected <= shortSpan ? 2 * shortSpan : timedRecords;
    const most = Math.min(timed, Math.floor(this.#budget.rows / 2));
    const chained = months.between(low, high);
    const values = [this.#tenantId, from, to, most + 1, chained.from, chained.to, epoch];
    const statement: Statement<{ readonly read: number; readonly sequences: string }> = {
      name: 'tally_find_by_time',
      text: findByTimeSql,
      values,
    };
    // Otherwise the planner may read the whole month where the table is small or its statistics are old.
    const [, , [found]] = await this.#session.pipeline(
      plannedOnce,
      { text: inOrderOfIndex('off') },
      statement,
      { text: inOrderOfIndex('on') },
      plannedByValues,
    );
    const { read, sequences } = found!;
    this.#budget.rows -= read;
    if (read > most) return null;
    return sequences
      .split(',')
      .flatMap((text) => (text === '' ? [] : Number(text)))
      .filter((sequence) => sequence >= low && sequence <= high)
      .sort((a, b) => a - b);
  }

  async #followTimes(timed: readonly number[], range: Range, wanted: number): Promise<Part> {
    const left = timed.filter((sequence) => sequence >= range.low && sequence <= range.high);
    const sequences = this.#newestFirst ? left.slice(-wanted).reverse() : left.slice(0, wanted);
    const isLast = sequences.length === left.length;
    if (sequences.length === 0) return { rows: [], end: this.#endOf(range) };
    const bounds = { low: Math.min(...sequences), high: Math.max(...sequences) };
    const { rows, cutAt } = await this.#rowsAt(sequences, wanted);
    return { rows, end: cutAt ?? (isLast ? this.#endOf(range) : this.#endOf(bounds)) };
  }

  async #walk({ low, high }: Range, wanted: number): Promise<Part> {
    const most = Math.min(this.#walked, this.#budget.rows);
    const range = this.#newestFirst
      ? { low: Math.max(low, high - most + 1), high }
      : { low, high: Math.min(high, low + most - 1) };
    const { rows, isWhole } = await this.#read({ kind: 'range' }, range, wanted);
    const end = isWhole ? this.#endOf(range) : rows.at(-1)!.sequence_number;
    this.#budget.rows -= 1 + Math.abs(end - (this.#newestFirst ? high : low));
    this.#walked = Math.min(walkedAtMost, this.#walked * 4);
    return { rows, end };
  }

  #endOf({ low, high }: Range): number {
    return this.#newestFirst ? low : high;
  }

  async #rowsAt(sequences: readonly number[], wanted: number): Promise<RowsAt> {
    return await rowsAt(this.#session, this.#tenantId, this.#request, sequences, wanted);
  }

  /** `isWhole`: whether these are all rows of the range that meet the conditions. */
  async #read(
    among: Among,
    { low, high }: Range,
    limit: number,
  ): Promise<{ readonly rows: readonly ListedRow[]; readonly isWhole: boolean }> {
    const { epoch, order, months, view, search } = this.#request;
    const conditions = this.#conditions;
    const { rows, available } = await listRows(this.#session, this.#tenantId, {
      epoch,
      order,
      chained: months.between(low, high),
      view,
      conditions,
      looksAtContent: search !== undefined || filtersContent(conditions),
      among,
      limit,
      from: low,
      to: high,
    });
    return { rows, isWhole: rows.length === available && available < limit };
  }
}

interface ColumnValue {
  readonly column: OrderedColumn;
  readonly value: string;
}

/** The part of a range that is in one block. */
function within(block: number, { low, high }: Range): Range {
  const first = block * termBlockRecords;
  return { low: Math.max(low, first), high: Math.min(high, first + termBlockRecords - 1) };
}

/** The first block of a range. */
function firstBlock(range: Range, newestFirst: boolean): BlockStep {
  const block = blockOf(newestFirst ? range.high : range.low);
  return { blocks: [block], range: within(block, range) };
}

/** The value that a condition demands of a column whose index is in the order of the chain. */
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
