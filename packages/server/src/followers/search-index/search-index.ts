import { searchTerms } from '@tallystick/event/search';
import type { DatabaseFollower } from '../follower.ts';
import { termIndexFollower } from '../term-index.ts';

/** Keeps the search index, by which searches find records: the terms of the texts of each record in `audit_search_terms`. */
export function searchIndex(): DatabaseFollower {
  return termIndexFollower({
    name: 'search-index',
    table: 'audit_search_terms',
    summaries: 'audit_search_blocks',
    termsOf: searchTerms,
  });
}
