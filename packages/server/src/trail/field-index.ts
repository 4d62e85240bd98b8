import {
  anyTerm,
  type FilterCondition,
  termBlockRecords,
  termHashes,
  termsOfCondition,
} from '@tallystick/event';
import type { Session } from '../store/database.ts';
import { readSql } from '../store/sql.ts';

const candidatesSql = readSql('find-candidates');

/** Most hashes that one search of the index looks up. */
const maxHashes = 4_096;

/** Terms that a record must have one of, for each condition that the index can answer. */
export type TermGroups = readonly (readonly string[])[];

/** @returns an empty list if the index can't answer any of the conditions */
export function termGroups(conditions: readonly FilterCondition[]): TermGroups {
  return conditions.flatMap((condition) => {
    const terms = termsOfCondition(condition);
    return terms === undefined ? [] : [[...new Set(terms)]];
  });
}

/** Most blocks of records that one search covers: it sorts all candidates in them. */
const mostBlocks = 256;

/** Most blocks of records that one search can cover. */
export function maxBlocks(groups: TermGroups): number {
  const terms = groups.reduce((sum, group) => sum + group.length + 1, 0);
  return Math.max(1, Math.min(mostBlocks, Math.floor(maxHashes / Math.max(1, terms))));
}

/** What the index knows of a range of records. */
export interface Candidates {
  /** Records that may match, in the order of the search. */
  readonly sequences: readonly number[];
  /** The last record of the epoch that the index has; -1 if it has none. It knows nothing of later ones. */
  readonly indexedTo: number;
}

export interface CandidateSearch {
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly newestFirst: boolean;
  readonly most: number;
}

/** Searches the index for records that may match. Without groups, it only says how far the index reaches. */
export async function findCandidates(
  session: Session,
  tenantId: string,
  groups: TermGroups,
  { epoch, first, last, newestFirst, most }: CandidateSearch,
): Promise<Candidates> {
  const blocks = groups.length === 0 ? [] : blocksOf(first, last);
  const hashed = groups.map((group) => {
    const terms = [...group, anyTerm];
    return `{${blocks.flatMap((block) => termHashes({ tenantId, epoch, block }, terms)).join(',')}}`;
  });
  const rows = await session.query<{ sequence_number: number | null; indexed_to: number | null }>(
    candidatesSql,
    [tenantId, epoch, first, last, hashed, newestFirst, most],
  );
  return {
    sequences: rows.flatMap(({ sequence_number }) => sequence_number ?? []),
    indexedTo: rows.find(({ indexed_to }) => indexed_to !== null)?.indexed_to ?? -1,
  };
}

function blocksOf(first: number, last: number): number[] {
  const from = Math.floor(first / termBlockRecords);
  const to = Math.floor(last / termBlockRecords);
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}
