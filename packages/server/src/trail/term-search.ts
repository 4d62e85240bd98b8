import { BlockQueue, type BlockStep, blockOf, withinBlock } from './block-queue.ts';
import {
  countGroups,
  entriesOfBlock,
  findCandidates,
  maxBlocks,
  type TermGroups,
} from './find-candidates.ts';
import { rowsAt } from './rows-at.ts';
import { beginningOf, beginsInTime, endOf, type Part, type Scan } from './scan.ts';
import type { Range } from './scan-request.ts';

/** Most blocks of the first search by the summaries. */
const firstBlocks = 128;
/** Most entries of an index that one search for several terms compares. */
const comparedEntries = 250_000;
/**
 * Blocks of which one is looked at to know how many entries the others have. Fewer than the first search by the summaries covers: the newest block
 * may have no entries, and the next search up to a thousand blocks.
 */
const blocksAlike = 64;

/**
 * Finds candidates in the indexes of terms, some blocks of records at a time. Owned by the request.
 *
 * Candidates and the reach of the index are of one snapshot, and each further search looks at the reach again. So a rebuild of the index,
 * which may swap or clear it between two searches, hides no record.
 */
export class TermSearch {
  readonly #scan: Scan;
  readonly #alternatives: readonly TermGroups[];
  readonly #queue: BlockQueue;
  /** Whether the summaries say in which blocks to look. Not for the first block: a page of a frequent value ends there. */
  #asksSummaries: boolean;
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
  #indexedTo: number | undefined;
  /** The last search, until its entries are taken from the budget. */
  #last: LastSearch | undefined;

  /** @param alternatives one at least */
  constructor(scan: Scan, alternatives: readonly TermGroups[]) {
    this.#scan = scan;
    this.#alternatives = alternatives;
    const { session, tenantId, request, budget } = scan;
    this.#queue = new BlockQueue(session, tenantId, request, alternatives, budget);
    this.#asksSummaries = !beginsInTime(request);
    this.#isJoined = alternatives.some((groups) => countGroups(groups) > 1);
  }

  /** The last record that the index has; -1 if it has none, or was not asked. */
  get indexedTo(): number {
    return this.#indexedTo ?? -1;
  }

  /** Whether an answer depends on the index: it was searched, or its summaries were. */
  get wasAsked(): boolean {
    return this.#indexedTo !== undefined;
  }

  /** In how many blocks a search of the beginning of a range has to look, by the summaries. */
  async countBlocks(range: Range): Promise<number> {
    return await this.#queue.count(range);
  }

  /**
   * @param wanted most rows whose records are read
   * @returns undefined where the index does not reach the beginning of the range
   */
  async next(range: Range, wanted: number): Promise<Part | undefined> {
    const { session, tenantId, request, budget } = this.#scan;
    const { epoch, limit } = request;
    const newestFirst = request.order === 'desc';
    const next = beginningOf(range, request);
    if (this.#indexedTo !== undefined && next > this.#indexedTo) return undefined;
    if (budget.hasSearched && budget.searches < this.#alternatives.length) {
      budget.searches = 0;
      return { rows: [], end: newestFirst ? next + 1 : next - 1 };
    }
    budget.hasSearched = true;
    await this.#spendEntries();
    if (budget.entries <= 0) return { rows: [], end: newestFirst ? next + 1 : next - 1 };
    const step = this.#asksSummaries ? await this.#queue.next(range, this.#blocks) : firstBlock(range, next);
    this.#asksSummaries = true;
    const { low: first, high: last } = step.range;
    if (step.blocks.length === 0) {
      // Every block here has a summary, and none of them a match.
      this.#indexedTo ??= last;
      return { rows: [], end: endOf(step.range, request) };
    }
    const most = Math.max(64, Math.min(1_024, (limit + 1) * this.#width));
    budget.searches -= this.#alternatives.length;
    const search = { epoch, blocks: step.blocks, plain: step.plain, first, last, newestFirst, most };
    const candidates = await findCandidates(session, tenantId, this.#alternatives, search);
    const { sequences, isCut, indexedTo } = candidates;
    this.#indexedTo = indexedTo;
    if (next > indexedTo) return undefined;
    this.#last = { blocks: step.blocks, found: sequences.length, most, isCut };
    const searched = newestFirst ? first : Math.min(last, indexedTo);
    if (sequences.length === 0) return { rows: [], end: searched };
    budget.rows -= sequences.length;
    const { rows, cutAt } = await rowsAt(session, tenantId, request, sequences, wanted);
    this.#width = rows.length === 0 ? this.#width * 4 : 1;
    return { rows, end: cutAt ?? (isCut ? sequences.at(-1)! : searched) };
  }

  /**
   * Takes the entries that the last search has compared from the budget, and decides in how many blocks the next one looks. Before the next search,
   * because most pages need no other one.
   */
  async #spendEntries(): Promise<void> {
    if (this.#last === undefined) return;
    const { session, tenantId, request, budget } = this.#scan;
    const { blocks, found, most, isCut } = this.#last;
    this.#last = undefined;
    if (isCut) {
      this.#blocks = 1;
      return;
    }
    this.#unknownBlocks -= blocks.length;
    if (this.#unknownBlocks <= 0) {
      const place = { epoch: request.epoch, block: blocks.at(-1)! };
      this.#entries = await entriesOfBlock(session, tenantId, this.#alternatives, place);
      this.#unknownBlocks = blocksAlike;
    }
    budget.entries -= this.#entries * blocks.length;
    this.#blocks = this.#nextBlocks(found, blocks.length, most);
  }

  /** In how many blocks to look next. A search sorts what it finds, so there are as many as should have the rest of a page. */
  #nextBlocks(found: number, blocks: number, most: number): number {
    this.#found += found;
    const missing = most - (this.#found % most);
    // By its summary, a block has a match of each condition. Records that meet several conditions may be fewer.
    const expected = this.#isJoined ? Math.max(found, 1) : Math.max(found, blocks);
    // A quarter more, so that a page seldom takes another search.
    const wanted = Math.ceil((1.25 * missing * blocks) / expected);
    const left = Math.min(comparedEntries, this.#scan.budget.entries);
    const affordable = Math.floor(left / Math.max(1, this.#entries));
    return Math.max(
      1,
      Math.min(wanted, affordable, Math.max(firstBlocks, blocks * 8), maxBlocks(this.#alternatives)),
    );
  }
}

interface LastSearch {
  readonly blocks: readonly number[];
  readonly found: number;
  /** Most candidates, and whether there were more. */
  readonly most: number;
  readonly isCut: boolean;
}

/** The block in which a range begins. */
function firstBlock(range: Range, beginning: number): BlockStep {
  const block = blockOf(beginning);
  return { blocks: [block], range: withinBlock(block, range) };
}
