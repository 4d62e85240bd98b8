import type { IpRange } from '../addresses/ip-range.ts';
import type { FilterCondition } from '../fields/filters.ts';

/** What a search demands of an event. All clauses must hold. */
export interface SearchQuery {
  readonly clauses: readonly SearchClause[];
}

/** One part of a search. `negated`: the event must not match it. */
export type SearchClause = { readonly negated: boolean } & (
  | {
      /** These words in this order, next to each other in one text of the event. */
      readonly kind: 'words';
      readonly words: readonly string[];
      /** Whether the last word is the beginning of one. */
      readonly isPrefix: boolean;
    }
  /** An IP address in a text of the event, within this range. */
  | { readonly kind: 'address'; readonly range: IpRange }
  | { readonly kind: 'field'; readonly condition: FilterCondition }
  /** What one of these demands. There is one at least, and each has a clause. */
  | { readonly kind: 'any'; readonly alternatives: readonly SearchQuery[] }
);

/** Why a text is not a search. */
export type SearchErrorCode =
  /** The text has nothing to search for. */
  | 'SEARCH_EMPTY'
  /** The text, a quoted phrase or a value is too long. */
  | 'SEARCH_TOO_LONG'
  | 'SEARCH_TOO_MANY_PARTS'
  | 'SEARCH_QUOTE_OPEN'
  | 'SEARCH_FIELD_UNKNOWN'
  | 'SEARCH_VALUE_INVALID'
  /** A range of addresses has a length that does not exist. */
  | 'SEARCH_ADDRESS_INVALID'
  /** `*` stands elsewhere than after the beginning of a word. */
  | 'SEARCH_STAR_MISPLACED'
  | 'SEARCH_PREFIX_TOO_SHORT'
  /** A parenthesis is not closed, closes nothing, or has a text right after it. */
  | 'SEARCH_PARENTHESIS'
  | 'SEARCH_TOO_DEEP'
  /** `OR` has nothing before or after it. */
  | 'SEARCH_OR_MISPLACED'
  /** A word that other languages of queries give a meaning, such as `NOT`. */
  | 'SEARCH_OPERATOR_UNKNOWN';

/** A text is not a search. */
export class SearchError extends Error {
  override readonly name = 'SearchError';
  readonly code: SearchErrorCode;
  /** Where in the text, in UTF-16 code units from 0. */
  readonly position: number;

  constructor(code: SearchErrorCode, position: number, message: string) {
    super(message);
    this.code = code;
    this.position = position;
  }
}
