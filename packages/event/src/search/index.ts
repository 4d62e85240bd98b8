export { searchMatcher } from './match.ts';
export { maxSearchLength, parseSearch } from './parse-query.ts';
export { type SearchClause, SearchError, type SearchErrorCode, type SearchQuery } from './query.ts';
export { maxQueryAlternatives, type QueryTerms, termsOfQuery } from './query-terms.ts';
export { searchTerms, storedSearchHashes } from './search-terms.ts';
