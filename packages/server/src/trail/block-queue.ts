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

/** The part of a range in which a search has to look next. */
export interface BlockStep {
  /** Blocks that may have a match, in the order of the search. */
  readonly blocks: readonly number[];
  /** The beginning of the range, up to the end of these blocks: no other block in it has a match. */
  readonly range: Range;
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
  #known: { readonly first: number; readonly last: number; readonly blocks: readonly number[] } | undefined;

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

  /** @param most blocks */
  async next({ low, high }: Range, most: number): Promise<BlockStep> {
    const [from, to] = [blockOf(low), blockOf(high)];
    const place = this.#newestFirst ? to : from;
    let known = this.#known;
    if (known === undefined || place < known.first || place > known.last) {
      this.#known = known = await this.#find(from, to);
    }
    const left = known.blocks.filter((block) => block >= from && block <= to);
    const blocks = left.slice(0, most);
    const isAll = blocks.length === left.length;
    const end = isAll ? (this.#newestFirst ? known.first : known.last) : blocks.at(-1)!;
    return {
      blocks,
      range: this.#newestFirst
        ? { low: Math.max(low, end * termBlockRecords), high }
        : { low, high: Math.min(high, (end + 1) * termBlockRecords - 1) },
    };
  }

  /** Asks for the blocks of one group: that in which the range begins. */
  async #find(from: number, to: number) {
    const { epoch, filters } = this.#request;
    const group = Math.floor((this.#newestFirst ? to : from) / termGroupBlocks) * termGroupBlocks;
    const [first, last] = [Math.max(from, group), Math.min(to, group + termGroupBlocks - 1)];
    const scope = summaryScope({ tenantId: this.#tenantId, epoch, block: first });
    const hashed = (groups: readonly (readonly string[])[]) =>
      groups.map((group) => `{${termHashes(scope, [...group, anyTerm]).join(',')}}`);
    this.#budget.searches--;
    const statements = this.#alternatives.map(
      ({ texts, fields }): Statement<{ readonly block: number }> => ({
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
    const found = new Set(answers.flatMap((rows) => rows.map(({ block }) => block)));
    const sign = this.#newestFirst ? -1 : 1;
    return { first, last, blocks: [...found].sort((a, b) => sign * (a - b)) };
  }
}

export function blockOf(sequence: number): number {
  return Math.floor(sequence / termBlockRecords);
}
