import { searchTerms } from '@tallystick/event/search';
import type { DatabaseFollower } from '../follower.ts';
import { type TermIndexOptions, termIndexFollower } from '../term-index.ts';

/** Keeps the search index, by which searches find records: the terms of the texts of each record in `audit_search_terms`. */
export function searchIndex(options?: TermIndexOptions): DatabaseFollower {
  const index = {
    name: 'search-index',
    table: 'audit_search_terms',
    summaries: 'audit_search_blocks',
    termsOf: searchTerms,
  } as const;
  return termIndexFollower(index, options);
}
