import { anyTerm, type FilterCondition, termHashes, termsOfCondition } from '@tallystick/event';
import { type SearchQuery, termsOfQuery } from '@tallystick/event/search';
import type { Session } from '../store/database.ts';
import { readSql } from '../store/sql.ts';

const fieldCandidatesSql = readSql('find-candidates');
const searchCandidatesSql = readSql('find-search-candidates');

/** Most hashes that one search of the indexes looks up. */
const maxHashes = 4_096;

/** Terms that a record must have one of, for each condition that an index can answer. */
export interface TermGroups {
  /** In the field index. */
  readonly fields: readonly (readonly string[])[];
  /** In the search index. */
  readonly texts: readonly (readonly string[])[];
}

export function termGroups(
  conditions: readonly FilterCondition[],
  search: SearchQuery | undefined,
): TermGroups {
  const ofSearch = search === undefined ? { fields: [], texts: [] } : termsOfQuery(search);
  const ofFilters = conditions.flatMap((condition) => {
    const terms = termsOfCondition(condition);
    return terms === undefined ? [] : [[...new Set(terms)]];
  });
  return { fields: [...ofFilters, ...ofSearch.fields], texts: ofSearch.texts };
}

/** How many conditions the indexes can answer. */
export function countGroups({ fields, texts }: TermGroups): number {
  return fields.length + texts.length;
}

/** Most blocks of records that one search covers: it sorts all candidates in them. */
const mostBlocks = 256;

/** Most blocks of records that one search can cover. */
export function maxBlocks({ fields, texts }: TermGroups): number {
  const terms = [...fields, ...texts].reduce((sum, group) => sum + group.length + 1, 0);
  return Math.max(1, Math.min(mostBlocks, Math.floor(maxHashes / Math.max(1, terms))));
}

/** What the indexes know of a range of records. */
export interface Candidates {
  /** Records that may match, in the order of the search. */
  readonly sequences: readonly number[];
  /** The last record of the epoch that the indexes have; -1 if they have none. They know nothing of later ones. */
  readonly indexedTo: number;
}

export interface CandidateSearch {
  readonly epoch: number;
  /** Blocks in which to search. */
  readonly blocks: readonly number[];
  readonly first: number;
  readonly last: number;
  readonly newestFirst: boolean;
  readonly most: number;
}

/** Searches the indexes for records that may match. There is a group at least. */
export async function findCandidates(
  session: Session,
  tenantId: string,
  { fields, texts }: TermGroups,
  { epoch, blocks, first, last, newestFirst, most }: CandidateSearch,
): Promise<Candidates> {
  const hashed = (groups: readonly (readonly string[])[]) =>
    groups.map((group) => {
      const terms = [...group, anyTerm];
      return `{${blocks.flatMap((block) => termHashes({ tenantId, epoch, block }, terms)).join(',')}}`;
    });
  const place = [tenantId, epoch, first, last];
  const rows = await session.query<{ sequence_number: number | null; indexed_to: number | null }>(
    texts.length === 0 ? fieldCandidatesSql : searchCandidatesSql,
    texts.length === 0
      ? [...place, hashed(fields), newestFirst, most]
      : [...place, hashed(texts), hashed(fields), newestFirst, most],
  );
  return {
    sequences: rows.flatMap(({ sequence_number }) => sequence_number ?? []),
    indexedTo: rows.find(({ indexed_to }) => indexed_to !== null)?.indexed_to ?? -1,
  };
}
