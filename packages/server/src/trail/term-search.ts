import { termBlockRecords } from '@tallystick/event';
import { BlockQueue, type BlockStep, blockOf, withinBlock } from './block-queue.ts';
import {
  blockEntries,
  type Candidates,
  candidates,
  countGroups,
  maxBlocks,
  searchedBlocks,
  type TermGroups,
} from './find-candidates.ts';
import { ask, both, type Question } from './question.ts';
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
  /** Found while the range began beyond the end of the index. */
  #ahead: Found | undefined;
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
    const newestFirst = request.order === 'desc';
    const next = beginningOf(range, request);
    if (this.#indexedTo !== undefined && next > this.#indexedTo) return undefined;
    const nothing = { rows: [], end: newestFirst ? next + 1 : next - 1 };
    if (budget.hasSearched && budget.searches < this.#alternatives.length) {
      budget.searches = 0;
      return nothing;
    }
    budget.hasSearched = true;
    await this.#spendEntries();
    if (budget.entries <= 0) return nothing;
    const found = this.#takeAhead(next) ?? (await this.#search(range));
    if (next > this.#indexedTo!) {
      this.#ahead = found;
      return undefined;
    }
    const { sequences, end } = found.isFirst ? await this.#goOn(found, range) : found;
    if (sequences.length === 0) return { rows: [], end };
    budget.rows -= sequences.length;
    const { rows, cutAt } = await rowsAt(session, tenantId, request, sequences, wanted);
    this.#width = rows.length === 0 ? this.#width * 4 : 1;
    return { rows, end: cutAt ?? end };
  }

  /** What was found below the end of the index, while the range began above it. */
  #takeAhead(next: number): Found | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead !== undefined && next === this.#indexedTo && ahead.end <= next ? ahead : undefined;
  }

  /** Searches the next blocks of a range. Where the index does not reach its beginning, {@link indexedTo} says so afterwards. */
  async #search(range: Range): Promise<Found> {
    const { session, tenantId, request, budget } = this.#scan;
    const newestFirst = request.order === 'desc';
    const isFirst = this.#isJoined && !this.#asksSummaries;
    const next = beginningOf(range, request);
    const step = this.#asksSummaries ? await this.#queue.next(range, this.#blocks) : firstBlock(range, next);
    this.#asksSummaries = true;
    const { blocks, plain } = step;
    const { low: first, high: last } = step.range;
    if (blocks.length === 0) {
      // Every block here has a summary, and none of them a match.
      this.#indexedTo ??= last;
      return { sequences: [], end: endOf(step.range, request), isCut: false, isFirst };
    }
    const most = Math.max(64, Math.min(1_024, (request.limit + 1) * this.#width));
    budget.searches -= this.#alternatives.length * Math.ceil(blocks.length / searchedBlocks);
    const search = { epoch: request.epoch, blocks, plain, first, last, newestFirst, most };
    const question = candidates(tenantId, this.#alternatives, search);
    const { sequences, isCut, indexedTo } = isFirst
      ? await this.#open(question, range)
      : await ask(session, question);
    this.#indexedTo = indexedTo;
    if (!isFirst) this.#last = { blocks, found: sequences.length, most, isCut };
    const searched = newestFirst ? first : Math.min(last, indexedTo);
    return { sequences, end: isCut ? sequences.at(-1)! : searched, isCut, isFirst };
  }

  /**
   * The first search for several terms, in one block. A page of them seldom ends there, so it also asks in which blocks to look next, and how much
   * one of them has: three round trips as one.
   */
  async #open(question: Question<Candidates>, range: Range): Promise<Candidates> {
    const { session, tenantId, request, budget } = this.#scan;
    const block = blockOf(beginningOf(range, request));
    // The newest block may have few records.
    const sampled = request.order === 'desc' ? Math.max(blockOf(range.low), block - 1) : block;
    const entries = blockEntries(tenantId, this.#alternatives, { epoch: request.epoch, block: sampled });
    const asked = both(question, both(entries, this.#queue.question(range)));
    const [found, [{ compared, expected }]] = await ask(session, asked);
    const { sequences, isCut } = found;
    this.#entries = compared;
    this.#unknownBlocks = blocksAlike;
    this.#found = sequences.length;
    budget.entries -= compared;
    const likely = Math.max(expected ?? 1, sequences.length, 1 / termBlockRecords);
    if (isCut) return found;
    // Twice as many blocks as should have the page, or all if these are a quarter of them: the search ends where it has enough, and a search for the
    // rest takes three more round trips.
    const wanted = (2 * (request.limit + 1 - sequences.length)) / likely;
    const left = await this.#queue.count(range);
    this.#blocks = this.#affordable(4 * wanted >= left ? left : wanted);
    return found;
  }

  /** Searches on where the first block has not enough, so that all records are looked up at once. */
  async #goOn(found: Found, range: Range): Promise<Found> {
    const { request, budget } = this.#scan;
    const { sequences, end, isCut } = found;
    const rest =
      request.order === 'desc' ? { low: range.low, high: end - 1 } : { low: end + 1, high: range.high };
    const isEnough = isCut || sequences.length > request.limit || rest.low > rest.high;
    if (isEnough || budget.searches < this.#alternatives.length || budget.entries <= 0) return found;
    if (beginningOf(rest, request) > this.#indexedTo!) return found;
    const more = await this.#search(rest);
    // A rebuild of the index may have cleared it meanwhile.
    if (beginningOf(rest, request) > this.#indexedTo!) return found;
    return { ...more, sequences: [...sequences, ...more.sequences] };
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
    if (this.#unknownBlocks <= 0 && this.#isJoined) {
      const place = { epoch: request.epoch, block: blocks.at(-1)! };
      const entries = blockEntries(tenantId, this.#alternatives, place);
      this.#entries = (await ask(session, entries)).compared;
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
    const wanted = (1.25 * missing * blocks) / expected;
    return Math.min(this.#affordable(wanted), Math.max(firstBlocks, blocks * 8));
  }

  /** So many blocks, or as many as one search may compare. */
  #affordable(wanted: number): number {
    const left = Math.min(comparedEntries, this.#scan.budget.entries);
    const most = Math.floor(left / Math.max(1, this.#entries));
    return Math.max(1, Math.min(Math.ceil(wanted), most, maxBlocks(this.#alternatives)));
  }
}

/** What a search has found. */
interface Found {
  /** Candidates, in the order of the page. */
  readonly sequences: readonly number[];
  /** The position up to which these are all. */
  readonly end: number;
  /** Whether there are more in the blocks that were searched. */
  readonly isCut: boolean;
  /** Whether it was the first search for several terms, in one block. */
  readonly isFirst: boolean;
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
