import { anyTerm, summaryScope, termBlockRecords, termGroupBlocks, termHashes } from '@tallystick/event';
import type { Session, Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { anyTime } from './chain-months.ts';
import type { TermGroups } from './find-candidates.ts';
import type { ScanBudget } from './scan-budget.ts';
import type { Range, ScanRequest } from './scan-request.ts';

const findBlocksSql = readSql('find-blocks');

/** Without terms, the times alone decide. */
const noGroups: TermGroups = { fields: [], texts: [] };

/** From so many blocks on, it pays to know in which of them no record has {@link anyTerm}. */
const manyBlocks = 200;

/** The part of a range in which a search has to look next. */
export interface BlockStep {
  /** Blocks that may have a match, in the order of the search. */
  readonly blocks: readonly number[];
  /** Those of them in which no record has {@link anyTerm}, where they are many. */
  readonly plain?: ReadonlySet<number> | undefined;
  /** The beginning of the range, up to the end of these blocks: no other block in it has a match. */
  readonly range: Range;
}

interface KnownBlocks {
  readonly first: number;
  readonly last: number;
  readonly blocks: readonly number[];
  /** See {@link BlockStep.plain}. */
  plain?: ReadonlySet<number>;
}

/**
 * The blocks of a range that may have a match, by the summaries of the indexes of terms. At five million records, a search for a value that 100
 * of them have reads 1,200 blocks of the database, and 10,400 without summaries.
 */
export class BlockQueue {
  readonly #session: Session;
  readonly #tenantId: string;
  readonly #request: ScanRequest;
  readonly #alternatives: readonly TermGroups[];
  readonly #budget: ScanBudget;
  readonly #newestFirst: boolean;
  /** Blocks of one group that may have a match, in the order of the search, and between which blocks these are all. */
  #known: KnownBlocks | undefined;

  constructor(
    session: Session,
    tenantId: string,
    request: ScanRequest,
    alternatives: readonly TermGroups[],
    budget: ScanBudget,
  ) {
    this.#session = session;
    this.#tenantId = tenantId;
    this.#request = request;
    this.#alternatives = alternatives.length === 0 ? [noGroups] : alternatives;
    this.#budget = budget;
    this.#newestFirst = request.order === 'desc';
  }

  /** How many blocks may have a match: all of the range, or those of the group in which it begins. */
  async count(range: Range): Promise<number> {
    return (await this.#left(range)).left.length;
  }

  /** @param most blocks */
  async next(range: Range, most: number): Promise<BlockStep> {
    const { low, high } = range;
    const { known, left } = await this.#left(range);
    const blocks = left.slice(0, most);
    if (blocks.length >= manyBlocks) known.plain ??= await this.#plainOf(known);
    const isAll = blocks.length === left.length;
    const end = isAll ? (this.#newestFirst ? known.first : known.last) : blocks.at(-1)!;
    return {
      blocks,
      plain: known.plain,
      range: this.#newestFirst
        ? { low: Math.max(low, end * termBlockRecords), high }
        : { low, high: Math.min(high, (end + 1) * termBlockRecords - 1) },
    };
  }

  async #left({ low, high }: Range): Promise<{ readonly known: KnownBlocks; readonly left: number[] }> {
    const [from, to] = [blockOf(low), blockOf(high)];
    const place = this.#newestFirst ? to : from;
    let known = this.#known;
    if (known === undefined || place < known.first || place > known.last) {
      this.#known = known = await this.#find(from, to);
    }
    return { known, left: known.blocks.filter((block) => block >= from && block <= to) };
  }

  /** Asks for the blocks of one group: that in which the range begins. */
  async #find(from: number, to: number): Promise<KnownBlocks> {
    const group = Math.floor((this.#newestFirst ? to : from) / termGroupBlocks) * termGroupBlocks;
    const [first, last] = [Math.max(from, group), Math.min(to, group + termGroupBlocks - 1)];
    const found = await this.#ask(first, last, this.#alternatives);
    const sign = this.#newestFirst ? -1 : 1;
    return { first, last, blocks: [...found].sort((a, b) => sign * (a - b)) };
  }

  /** A search looks up a third less where it does not have to look for {@link anyTerm}. */
  async #plainOf({ first, last, blocks }: KnownBlocks): Promise<ReadonlySet<number>> {
    const odd = await this.#ask(first, last, [
      { texts: [[anyTerm]], fields: [] },
      { texts: [], fields: [[anyTerm]] },
    ]);
    return new Set(blocks.filter((block) => !odd.has(block)));
  }

  async #ask(first: number, last: number, alternatives: readonly TermGroups[]): Promise<Set<number>> {
    const { epoch, filters } = this.#request;
    const scope = summaryScope({ tenantId: this.#tenantId, epoch, block: first });
    const hashed = (groups: readonly (readonly string[])[]) =>
      groups.map((group) => `{${termHashes(scope, [...group, anyTerm]).join(',')}}`);
    this.#budget.searches--;
    const statements = alternatives.map(
      ({ texts, fields }): Statement<{ readonly block: number }> => ({
        name: 'tally_find_blocks',
        text: findBlocksSql,
        values: [
          this.#tenantId,
          epoch,
          first,
          last,
          hashed(texts),
          hashed(fields),
          filters.from ?? anyTime.from,
          filters.to ?? anyTime.to,
        ],
      }),
    );
    const answers: readonly (readonly { readonly block: number }[])[] = await this.#session.pipeline(
      ...statements,
    );
    return new Set(answers.flatMap((rows) => rows.map(({ block }) => block)));
  }
}

export function blockOf(sequence: number): number {
  return Math.floor(sequence / termBlockRecords);
}

/** The part of a range that is in one block. */
export function withinBlock(block: number, { low, high }: Range): Range {
  const first = block * termBlockRecords;
  return { low: Math.max(low, first), high: Math.min(high, first + termBlockRecords - 1) };
}
