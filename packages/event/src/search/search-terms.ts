/**
 * The terms of the search index: what a store keeps beside a record, so that a search finds it (spec/search-index.md). They are derived
 * from the event alone, so a verifier can derive them again. A term only finds candidates: {@link searchMatcher} decides.
 */

import type { AnyEvent } from '../fields/filter-match.ts';
import { addressTerms } from '../terms/address-terms.ts';
import { anyTerm, type TermScope, termHashes } from '../terms/field-terms.ts';
import { addressesIn } from './addresses.ts';
import { textsOf } from './event-texts.ts';
import { charactersIn, firstCharacters, wordsOf } from './tokens.ts';

/** An event with more terms has the term {@link anyTerm} alone. */
const maxTerms = 4_000;

/** The lengths of the beginnings of words that are terms, in characters (code points). */
export const prefixLengths = [3, 6] as const;

/** The terms of an event, each once. The event may be forged. */
export function searchTerms(event: AnyEvent): string[] {
  const terms = new Set<string>();
  const words = new Set<string>();
  for (const text of textsOf(event)) {
    for (const word of wordsOf(text)) words.add(word);
    for (const address of addressesIn(text)) for (const term of addressTerms('ip', address)) terms.add(term);
    if (words.size + terms.size > maxTerms) return [anyTerm];
  }
  for (const word of words) {
    terms.add(wordTerm(word));
    for (const length of prefixLengths) if (charactersIn(word) > length) terms.add(prefixTerm(word, length));
  }
  return terms.size > maxTerms ? [anyTerm] : [...terms];
}

export function wordTerm(word: string): string {
  return `w=${word}`;
}

/** The term of all longer words that begin so. */
export function prefixTerm(word: string, length: number): string {
  return `w${length}=${firstCharacters(word, length)}`;
}

/** The hashes of an event's terms as the index stores them: ascending, each once. */
export function storedSearchHashes(scope: TermScope, event: AnyEvent): number[] {
  return [...new Set(termHashes(scope, searchTerms(event)))].sort((a, b) => a - b);
}
