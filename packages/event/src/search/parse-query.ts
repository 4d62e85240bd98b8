/**
 * Reads the text of a search: words, `"quoted phrases"`, beginnings `abc*`, `field:value`, IP addresses and ranges, `-` before what must
 * not match, `OR`, and parentheses. All parts beside each other must match; `OR` divides them into alternatives. A client controls the text.
 * It is read once from left to right, and its length, the number of its parts and the depth of its parentheses are bounded.
 */
import { clauseOf } from './part-clause.ts';
import { type SearchClause, SearchError, type SearchQuery } from './query.ts';
import { type SearchToken, tokensOf } from './search-tokens.ts';

/** Most UTF-16 code units of a search. */
export const maxSearchLength = 512;
/** Most parts of a search. */
const maxParts = 32;
/** Most parentheses within each other. */
const maxDepth = 4;

/**
 * @throws {SearchError} with the position of the fault
 */
export function parseSearch(text: string): SearchQuery {
  if (text.length > maxSearchLength)
    throw new SearchError(
      'SEARCH_TOO_LONG',
      maxSearchLength,
      `a search has at most ${maxSearchLength} characters`,
    );
  const reader = new Reader([...tokensOf(text)]);
  const alternatives = reader.alternatives(0);
  const left = reader.next();
  if (left !== undefined)
    throw new SearchError(
      'SEARCH_PARENTHESIS',
      left.at,
      'no parenthesis is open here. Quote a text that has one',
    );
  const clauses = clausesOf(alternatives, false);
  if (clauses.length === 0)
    throw new SearchError('SEARCH_EMPTY', 0, 'the search has no word, address or field to look for');
  return { clauses };
}

/** Reads tokens in their order. */
class Reader {
  readonly #tokens: readonly SearchToken[];
  #at = 0;
  #parts = 0;

  constructor(tokens: readonly SearchToken[]) {
    this.#tokens = tokens;
  }

  next(): SearchToken | undefined {
    return this.#tokens[this.#at++];
  }

  /** What `OR` divides, up to the end or to the parenthesis that closes a group. One alternative may have no clauses if it is the only one. */
  alternatives(depth: number): SearchQuery[] {
    const found = [this.#all(depth)];
    for (let or = this.#tokens[this.#at]; or?.kind === 'or'; or = this.#tokens[this.#at]) {
      this.#at++;
      found.push(this.#all(depth));
      if (found.at(-2)!.clauses.length === 0 || found.at(-1)!.clauses.length === 0) {
        const message =
          'OR needs a word, address or field before and after it. Quote it to search for the word';
        throw new SearchError('SEARCH_OR_MISPLACED', or.at, message);
      }
    }
    return found;
  }

  /** What stands beside each other: all of it must match. */
  #all(depth: number): SearchQuery {
    const clauses: SearchClause[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined || token.kind === 'or' || token.kind === 'close') return { clauses };
      this.#at++;
      if (token.kind === 'open') {
        clauses.push(...this.#group(token, depth + 1));
        continue;
      }
      if (++this.#parts > maxParts)
        throw new SearchError('SEARCH_TOO_MANY_PARTS', token.at, `a search has at most ${maxParts} parts`);
      const clause = clauseOf(token);
      if (clause !== undefined) clauses.push(clause);
    }
  }

  #group(
    { at, negated }: { readonly at: number; readonly negated: boolean },
    depth: number,
  ): readonly SearchClause[] {
    if (depth > maxDepth)
      throw new SearchError(
        'SEARCH_TOO_DEEP',
        at,
        `a search has at most ${maxDepth} parentheses within each other`,
      );
    const clauses = clausesOf(this.alternatives(depth), negated);
    if (this.next()?.kind !== 'close')
      throw new SearchError(
        'SEARCH_PARENTHESIS',
        at,
        'this parenthesis is not closed. Quote a text that begins with one',
      );
    if (clauses.length === 0)
      throw new SearchError(
        'SEARCH_EMPTY',
        at,
        'these parentheses have no word, address or field to look for',
      );
    return clauses;
  }
}

function clausesOf(alternatives: readonly SearchQuery[], negated: boolean): readonly SearchClause[] {
  const [first] = alternatives;
  const isOne = alternatives.length === 1;
  if (isOne && (first!.clauses.length === 0 || !negated)) return first!.clauses;
  return [{ kind: 'any', alternatives, negated }];
}
