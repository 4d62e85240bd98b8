import { termBlockRecords } from '@tallystick/event';
import type { ColumnScan } from './column-scan.ts';
import { columnCost, estimateRest, termsCost } from './path-costs.ts';
import type { Part } from './scan.ts';
import type { Range } from './scan-request.ts';
import type { TermSearch } from './term-search.ts';

/** From this cost on (ms), it pays to ask the summaries, which takes one, in how many blocks a search of terms would look. */
const askedFrom = 10;

/**
 * Reads the rows of a value by the index of its column as long as this costs less than a search of the indexes of terms. How much it costs is known
 * from the rows that were read: how many of the records have the value, and how many of these meet the other conditions too. What was read stays
 * read: the search goes on behind it. Owned by the request.
 */
export class ColumnFirst {
  readonly #columns: readonly ColumnScan[];
  readonly #terms: TermSearch | undefined;
  /** Which of the columns is read; undefined after the last one. */
  #at: number | undefined = 0;

  /**
   * @param columns values of columns, one at least; those first that fewer records should have
   * @param terms absent where the indexes of terms know no more than the column
   */
  constructor(columns: readonly ColumnScan[], terms: TermSearch | undefined) {
    this.#columns = columns;
    this.#terms = terms;
  }

  /** @returns undefined where a search of the indexes of terms costs less */
  async next(range: Range, wanted: number): Promise<Part | undefined> {
    for (let column = this.#column; column !== undefined; column = this.#column) {
      if (await this.#isCheap(column, range)) return await column.next(range, wanted);
      this.#at = this.#at! + 1 < this.#columns.length ? this.#at! + 1 : undefined;
    }
    return undefined;
  }

  get #column(): ColumnScan | undefined {
    return this.#at === undefined ? undefined : this.#columns[this.#at];
  }

  async #isCheap(column: ColumnScan, range: Range): Promise<boolean> {
    const progress = column.progress(range);
    if (this.#terms === undefined || progress.passed === 0) return true;
    const rest = estimateRest(progress);
    const cost = columnCost(rest);
    const blocks = rest.records / termBlockRecords;
    if (cost > termsCost(blocks)) return false;
    if (cost <= askedFrom) return true;
    const share = rest.records / Math.max(1, progress.left);
    return cost <= termsCost(Math.min(blocks, (await this.#terms.countBlocks(range)) * share));
  }
}
