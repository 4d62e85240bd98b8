import { anyTerm, summaryScope, termBlockRecords, termGroupBlocks, termHashes } from '@tallystick/event';
import type { Session, Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { anyTime } from './chain-months.ts';
import type { TermGroups } from './find-candidates.ts';
import { ask, type Question } from './question.ts';
import type { ScanBudget } from './scan-budget.ts';
import type { Range, ScanRequest } from './scan-request.ts';

const findBlocksSql = readSql('find-blocks');

/** Without terms, the times alone decide. */
const noGroups: TermGroups = { fields: [], texts: [] };

/** From so many blocks on, it pays to know in which of them no record has {@link anyTerm}. */
const manyBlocks = 300;

/** The part of a range in which a search has to look next. */
export interface BlockStep {
  /** Blocks that may have a match, in the order of the search. */
  readonly blocks: readonly number[];
  /** Those of them in which no record has {@link anyTerm}, where they are many. */
  readonly plain?: ReadonlySet<number> | undefined;
  /** The beginning of the range, up to the end of these blocks: no other block in it has a match. */
  readonly range: Range;
}

interface FoundBlock {
  readonly block: number;
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

  /** Which blocks may have a match; {@link next} knows it once this was asked. */
  question({ low, high }: Range): Question<void> {
    const [first, last] = this.#groupOf(blockOf(low), blockOf(high));
    const { statements, read } = this.#blocksWith(first, last, this.#alternatives);
    return {
      statements,
      read: (answers) => {
        const sign = this.#newestFirst ? -1 : 1;
        const blocks = [...read(answers)].sort((a, b) => sign * (a - b));
        this.#known = { first, last, blocks };
      },
    };
  }

  async #left(range: Range): Promise<{ readonly known: KnownBlocks; readonly left: number[] }> {
    const [from, to] = [blockOf(range.low), blockOf(range.high)];
    const place = this.#newestFirst ? to : from;
    const isKnown = this.#known !== undefined && place >= this.#known.first && place <= this.#known.last;
    if (!isKnown) await ask(this.#session, this.question(range));
    const known = this.#known!;
    return { known, left: known.blocks.filter((block) => block >= from && block <= to) };
  }

  /** The blocks of one group: that in which the range begins. */
  #groupOf(from: number, to: number): readonly [number, number] {
    const group = Math.floor((this.#newestFirst ? to : from) / termGroupBlocks) * termGroupBlocks;
    return [Math.max(from, group), Math.min(to, group + termGroupBlocks - 1)];
  }

  /** A search looks up a third less where it does not have to look for {@link anyTerm}. */
  async #plainOf({ first, last, blocks }: KnownBlocks): Promise<ReadonlySet<number>> {
    const asksTexts = this.#alternatives.some(({ texts }) => texts.length > 0);
    const asksFields = this.#alternatives.some(({ fields }) => fields.length > 0);
    const any: readonly TermGroups[] = [
      ...(asksTexts ? [{ texts: [[anyTerm]], fields: [] }] : []),
      ...(asksFields ? [{ texts: [], fields: [[anyTerm]] }] : []),
    ];
    const odd = await ask(this.#session, this.#blocksWith(first, last, any));
    return new Set(blocks.filter((block) => !odd.has(block)));
  }

  #blocksWith(first: number, last: number, alternatives: readonly TermGroups[]): Question<Set<number>> {
    const { epoch, filters } = this.#request;
    const scope = summaryScope({ tenantId: this.#tenantId, epoch, block: first });
    const hashed = (groups: readonly (readonly string[])[]) =>
      groups.map((group) => `{${termHashes(scope, [...group, anyTerm]).join(',')}}`);
    this.#budget.searches--;
    const statements = alternatives.map(
      ({ texts, fields }): Statement<FoundBlock> => ({
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
    return {
      statements,
      read: (answers) =>
        new Set(
          (answers as readonly (readonly FoundBlock[])[]).flatMap((rows) => rows.map(({ block }) => block)),
        ),
    };
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
