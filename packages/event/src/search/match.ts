import { type IpRange, isInRange } from '../addresses/ip-range.ts';
import { type AnyEvent, filterMatcher } from '../fields/filter-match.ts';
import { addressesIn } from './addresses.ts';
import { textsOf } from './event-texts.ts';
import type { SearchClause, SearchQuery } from './query.ts';
import { wordsOf } from './tokens.ts';

/** Makes a test for an event: the answer that counts, whatever an index says. */
export function searchMatcher(query: SearchQuery): (event: AnyEvent) => boolean {
  const matches = testOfAll(query);
  return (event) => matches(new SearchedContent(event));
}

/** The words and addresses of an event, found when they are needed first. */
class SearchedContent {
  readonly event: AnyEvent;
  #texts: string[] | undefined;
  #words: (readonly string[])[] | undefined;
  #addresses: IpRange[] | undefined;

  constructor(event: AnyEvent) {
    this.event = event;
  }

  /** Of each text. */
  get words(): readonly (readonly string[])[] {
    this.#words ??= this.#all.map(wordsOf);
    return this.#words;
  }

  get addresses(): readonly IpRange[] {
    this.#addresses ??= this.#all.flatMap(addressesIn);
    return this.#addresses;
  }

  get #all(): readonly string[] {
    this.#texts ??= textsOf(this.event);
    return this.#texts;
  }
}

type Test = (content: SearchedContent) => boolean;

function testOfAll({ clauses }: SearchQuery): Test {
  const tests = clauses.map((clause) => ({ matches: testOf(clause), negated: clause.negated }));
  return (content) => tests.every(({ matches, negated }) => matches(content) !== negated);
}

function testOf(clause: SearchClause): Test {
  switch (clause.kind) {
    case 'words':
      return ({ words }) => words.some((text) => hasPhrase(text, clause.words, clause.isPrefix));
    case 'address':
      return ({ addresses }) => addresses.some((address) => isInRange(clause.range, address));
    case 'field': {
      const matches = filterMatcher([{ ...clause.condition, negated: false }]);
      return ({ event }) => matches(event);
    }
    case 'any': {
      const tests = clause.alternatives.map(testOfAll);
      return (content) => tests.some((matches) => matches(content));
    }
  }
}

/** Whether a text has these words next to each other. A phrase has some tens of words at most. */
function hasPhrase(text: readonly string[], phrase: readonly string[], isPrefix: boolean): boolean {
  const last = phrase.length - 1;
  const matches = (word: string | undefined, at: number) =>
    word !== undefined && (isPrefix && at === last ? word.startsWith(phrase[at]!) : word === phrase[at]);
  return text.some((_, from) => phrase.every((_, at) => matches(text[from + at], at)));
}
