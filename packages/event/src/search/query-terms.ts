import { addressTerm } from '../address-terms.ts';
import { termsOfCondition } from '../field-terms.ts';
import type { SearchQuery } from './query.ts';
import { prefixLengths, prefixTerm, wordTerm } from './search-terms.ts';

/** For each list, every event that matches has one of its terms at least, unless it has the term for too many. */
export interface QueryTerms {
  /** Terms of the search index. */
  readonly texts: readonly (readonly string[])[];
  /** Terms of the field index. */
  readonly fields: readonly (readonly string[])[];
}

/** The terms of the search index by which the records that match a query are found. */
export function termsOfQuery({ clauses }: SearchQuery): QueryTerms {
  const texts: string[][] = [];
  const fields: string[][] = [];
  for (const clause of clauses) {
    if (clause.negated) continue;
    if (clause.kind === 'field') {
      const terms = termsOfCondition(clause.condition);
      if (terms !== undefined) fields.push(terms);
    } else if (clause.kind === 'address') {
      texts.push([addressTerm('ip', clause.range)]);
    } else {
      const whole = clause.isPrefix ? clause.words.slice(0, -1) : clause.words;
      for (const word of new Set(whole)) texts.push([wordTerm(word)]);
      if (clause.isPrefix) texts.push(termsOfPrefix(clause.words.at(-1)!));
    }
  }
  return { texts, fields };
}

/** The word itself, and longer words that begin so. */
function termsOfPrefix(prefix: string): string[] {
  const own = [...prefix].length;
  const length = prefixLengths.findLast((each) => each <= own)!;
  return [wordTerm(prefix), prefixTerm(prefix, length)];
}
