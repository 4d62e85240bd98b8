import {
  anyTerm,
  type FilterCondition,
  termBlockRecords,
  termHashes,
  termsOfCondition,
} from '@tallystick/event';
import { type SearchQuery, termsOfQuery } from '@tallystick/event/search';
import type { Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { Question } from './question.ts';

const searchBlocksSql = readSql('search-blocks');

/** Most hashes that one search of the indexes looks up. */
const maxHashes = 8_192;

/** Terms that a record must have one of, for each condition that an index can answer: one alternative. */
export interface TermGroups {
  /** In the field index. */
  readonly fields: readonly (readonly string[])[];
  /** In the search index. */
  readonly texts: readonly (readonly string[])[];
}

/**
 * What the indexes can be asked for: records that may match have the terms of one alternative at least.
 *
 * @returns no alternatives where the indexes can't answer
 */
export function termAlternatives(
  conditions: readonly FilterCondition[],
  search: SearchQuery | undefined,
): readonly TermGroups[] {
  const ofFilters = conditions.flatMap((condition) => {
    const terms = termsOfCondition(condition);
    return terms === undefined ? [] : [[...new Set(terms)]];
  });
  const ofSearch = search === undefined ? [{ fields: [], texts: [] }] : termsOfQuery(search);
  const hasFree = ofSearch.some((each) => countGroups(each) === 0);
  if (hasFree) return ofFilters.length === 0 ? [] : [{ fields: ofFilters, texts: [] }];
  return ofSearch.map(({ fields, texts }) => ({ fields: [...ofFilters, ...fields], texts }));
}

/** How many conditions the indexes can answer. */
export function countGroups({ fields, texts }: TermGroups): number {
  return fields.length + texts.length;
}

/** Most blocks of records that one search covers: all of a chain of eight million records. */
const mostBlocks = 2_048;
/** Blocks that count as one search. */
export const searchedBlocks = 1_024;

/** Most blocks of records that one search of all alternatives can cover. */
export function maxBlocks(alternatives: readonly TermGroups[]): number {
  const groups = alternatives.flatMap(({ fields, texts }) => [...fields, ...texts]);
  const terms = groups.reduce((sum, group) => sum + group.length + 1, 0);
  return Math.max(1, Math.min(mostBlocks, Math.floor(maxHashes / Math.max(1, terms))));
}

/** What the indexes know of a range of records. */
export interface Candidates {
  /** Records that may match, in the order of the search, each once. */
  readonly sequences: readonly number[];
  /** Whether there may be more after the last of them. */
  readonly isCut: boolean;
  /** The last record of the epoch that the indexes have; -1 if they have none. They know nothing of later ones. */
  readonly indexedTo: number;
}

export interface CandidateSearch {
  readonly epoch: number;
  /** Blocks in which to search. */
  readonly blocks: readonly number[];
  /** Those of them in which no record has {@link anyTerm}. None is known where absent. */
  readonly plain?: ReadonlySet<number> | undefined;
  readonly first: number;
  readonly last: number;
  readonly newestFirst: boolean;
  /** Most candidates, of each alternative and of all of them. */
  readonly most: number;
}

interface CandidateRow {
  readonly sequence_number: number | null;
  readonly indexed_to: number | null;
}

/**
 * Which records may match, by the indexes. There is an alternative at least, and each has a group.
 *
 * Each alternative is answered from a snapshot of its own. A record and its terms never change, so the records up to which all snapshots
 * reach are known from all of them.
 */
export function candidates(
  tenantId: string,
  alternatives: readonly TermGroups[],
  search: CandidateSearch,
): Question<Candidates> {
  return {
    statements: alternatives.map((groups) => candidatesOf(tenantId, groups, search)),
    read: (answers) => unionOf(answers as readonly (readonly CandidateRow[])[], search),
  };
}

/** Most groups that are counted, and most records of each. */
const countedGroups = 16;
const countedRecords = 1_024;
/** What a search compares for each record of the rarest group, at most. */
const comparedTimes = 5;

/** What a block has for a search. */
export interface BlockEntries {
  /**
   * What a search for several groups at once compares in it: the records with a term of each group, together, but not more than a few times as many
   * as the rarest group has. With 273 and 1,092 of them, which have no record together, a block takes a millisecond; with 2 and 1,092, 26 µs.
   * 0 where no alternative has several groups: what such a search compares, it finds.
   */
  readonly compared: number;
  /** How many records match, if the conditions do not depend on each other; undefined if that is not known. */
  readonly expected: number | undefined;
}

export function blockEntries(
  tenantId: string,
  alternatives: readonly TermGroups[],
  { epoch, block }: { readonly epoch: number; readonly block: number },
): Question<BlockEntries> {
  const groups = alternatives.flatMap(({ fields, texts }, of) => [
    ...fields.map((group) => ({ of, only: { fields: [group], texts: [] } })),
    ...texts.map((group) => ({ of, only: { fields: [], texts: [group] } })),
  ]);
  const unknown = (compared: number) => ({ statements: [], read: () => ({ compared, expected: undefined }) });
  if (groups.length === alternatives.length) return unknown(0);
  if (groups.length > countedGroups) return unknown(groups.length * countedRecords);
  const first = block * termBlockRecords;
  const last = first + termBlockRecords - 1;
  const search = { epoch, blocks: [block], first, last, newestFirst: true, most: countedRecords };
  return {
    statements: groups.map(({ only }) => candidatesOf(tenantId, only, search)),
    read: (answers) => {
      // The first row says how far the index reaches.
      const counts = answers.map((rows) => rows.length - 1);
      const matching = alternatives.map(() => termBlockRecords);
      const compared = alternatives.map((_, at) => {
        const own = answers.flatMap((rows, nth) => (groups[nth]!.of === at ? [rows.length] : []));
        return Math.min(
          own.reduce((sum, each) => sum + each, 0),
          comparedTimes * Math.min(...own),
        );
      });
      for (const [at, { of }] of groups.entries()) {
        // Where not all were counted, there may be four times as many.
        const count = counts[at]! < countedRecords ? counts[at]! : termBlockRecords / 2;
        matching[of] = (matching[of]! * count) / termBlockRecords;
      }
      return {
        compared: compared.reduce((sum, each) => sum + each, 0),
        expected: matching.reduce((sum, each) => sum + each),
      };
    },
  };
}

function candidatesOf(
  tenantId: string,
  { fields, texts }: TermGroups,
  { epoch, blocks, plain, first, last, newestFirst, most }: CandidateSearch,
): Statement<CandidateRow> {
  const hashed = (groups: readonly (readonly string[])[]) =>
    groups.map((group) => {
      const withAny = [...group, anyTerm];
      const hashes = blocks.map((block) => {
        const terms = plain?.has(block) ? group : withAny;
        return `"{${termHashes({ tenantId, epoch, block }, terms).join(',')}}"`;
      });
      return `{${hashes.join(',')}}`;
    });
  return {
    name: 'tally_search_blocks',
    text: searchBlocksSql,
    values: [tenantId, epoch, first, last, blocks, hashed(texts), hashed(fields), newestFirst, most],
  };
}

function unionOf(
  answers: readonly (readonly CandidateRow[])[],
  { newestFirst, most }: CandidateSearch,
): Candidates {
  const found = answers.map((rows) => rows.flatMap(({ sequence_number }) => sequence_number ?? []));
  const reaches = answers.map((rows) => rows.find(({ indexed_to }) => indexed_to !== null)?.indexed_to ?? -1);
  const indexedTo = Math.min(...reaches);
  // Beyond the last candidate of an alternative that has more, other alternatives would leave gaps.
  const ends = found.filter((sequences) => sequences.length >= most).map((sequences) => sequences.at(-1)!);
  const end = newestFirst ? Math.max(...ends) : Math.min(...ends);
  const isKnown = (sequence: number) =>
    sequence <= indexedTo && (newestFirst ? sequence >= end : sequence <= end);
  const union = [...new Set(found.flat())].filter(isKnown).sort((a, b) => (newestFirst ? b - a : a - b));
  return { sequences: union.slice(0, most), isCut: ends.length > 0 || union.length > most, indexedTo };
}
