import type { Session } from '../store/database.ts';
import { ChainWalk, walkedAtFirst } from './chain-walk.ts';
import { columnConditions } from './column-conditions.ts';
import { ColumnFirst } from './column-first.ts';
import { ColumnScan, columnValuesIn } from './column-scan.ts';
import { countGroups, termAlternatives } from './find-candidates.ts';
import { isComparedWithRecord } from './rows-at.ts';
import type { Part, Scan } from './scan.ts';
import type { ScanBudget } from './scan-budget.ts';
import type { Range, ScanRequest } from './scan-request.ts';
import { TermSearch } from './term-search.ts';
import { TimeLookup } from './time-lookup.ts';
import { conditionsWithin } from './view.ts';

/**
 * Reads the rows of a range that may match the filters, part by part. Each part reads a bounded number of rows:
 *
 * - for a value of a column whose index is in the order of the chain, the next rows that have it, as long as that costs less than what follows
 *   ({@link ColumnFirst});
 * - from the field index and the search index, the candidates of some blocks of records ({@link TermSearch});
 * - for a short span of time, the records of events that happened in it ({@link TimeLookup});
 * - else, and where the index has not come yet, the next records of the chain ({@link ChainWalk}). So a page has what was written a moment ago.
 */
export class RecordSource {
  readonly #request: ScanRequest;
  /** Undefined where the indexes of terms can't answer, or know no more than the index of a column. */
  readonly #terms: TermSearch | undefined;
  readonly #columns: readonly ColumnScan[];
  /** Undefined where no index of a column can answer, or the indexes of terms know what neither columns nor texts of records show. */
  readonly #columnFirst: ColumnFirst | undefined;
  readonly #times: TimeLookup;
  readonly #walk: ChainWalk;

  constructor(session: Session, tenantId: string, request: ScanRequest, budget: ScanBudget) {
    const scan: Scan = { session, tenantId, request, budget };
    this.#request = request;
    const conditions = conditionsWithin(request.filters, request.view);
    const alternatives = termAlternatives(conditions, request.search);
    const isAlone = conditions.filter(isComparedWithRecord).length === 1;
    this.#columns = columnValuesIn(conditions).map((value) => new ColumnScan(scan, value, isAlone));
    const hasColumn = this.#columns.length > 0;
    const isOnlyTerm = hasColumn && alternatives.length === 1 && countGroups(alternatives[0]!) === 1;
    const asksIndex = alternatives.length > 0 && !isOnlyTerm;
    if (asksIndex) this.#terms = new TermSearch(scan, alternatives);
    const comparesAll = request.search === undefined && columnConditions(conditions).answersTerms;
    if (hasColumn && (isOnlyTerm || comparesAll)) {
      this.#columnFirst = new ColumnFirst(this.#columns, this.#terms);
    }
    this.#times = new TimeLookup(scan);
    this.#walk = new ChainWalk(scan, asksIndex);
  }

  /** The last record that the field index has, as far as it was asked; undefined if it is not asked for any of the filters. */
  get indexedTo(): number | undefined {
    return this.#terms?.wasAsked === true ? this.#terms.indexedTo : undefined;
  }

  /** @param wanted most rows that the caller looks at; more may come from the index */
  async next(range: Range, wanted: number): Promise<Part> {
    const late = await this.#times.nextLate(range, wanted);
    if (late !== undefined) return late;
    const ofColumn = await this.#columnFirst?.next(range, wanted);
    if (ofColumn !== undefined) return ofColumn;
    const candidates = await this.#terms?.next(range, wanted);
    if (candidates !== undefined) return candidates;
    if (this.#terms === undefined) {
      const timed = await this.#times.next(range, wanted);
      if (timed !== undefined) return timed;
    }
    // The index does not reach this place: the chain is read, down to where the index does.
    const indexedTo = this.#terms?.indexedTo ?? -1;
    const low = this.#request.order === 'desc' ? Math.max(range.low, indexedTo + 1) : range.low;
    const rest = { low, high: range.high };
    const isShort = rest.high - rest.low < walkedAtFirst;
    const [column] = this.#columns;
    return await (column === undefined || isShort ? this.#walk : column).next(rest, wanted);
  }
}
