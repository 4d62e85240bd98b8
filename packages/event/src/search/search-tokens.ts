/**
 * Divides the text of a search into parts, `OR` and parentheses. A client controls the text; it is read once from left to right.
 */
import { SearchError } from './query.ts';

/** What a search consists of. `at`: where it begins in the text. */
export type SearchToken =
  | ({ readonly kind: 'part' } & SearchPart)
  | { readonly kind: 'or'; readonly at: number }
  /** `(`, or `-(` if it is negated. */
  | { readonly kind: 'open'; readonly at: number; readonly negated: boolean }
  | { readonly kind: 'close'; readonly at: number };

/** One part of the text, between spaces or parentheses. */
export interface SearchPart {
  /** Where it begins in the text. */
  readonly at: number;
  readonly negated: boolean;
  /** The text before the quotation mark, or all of it. */
  readonly plain: string;
  /** The text between quotation marks, without the escapes. */
  readonly quoted: string | undefined;
}

const space = /\s/u;

/**
 * The tokens of a text, in their order. A parenthesis opens a group only where a part begins, and closes one only where the part has not opened it:
 * `call(x)` is one part.
 *
 * @throws {SearchError} `SEARCH_QUOTE_OPEN`, `SEARCH_PARENTHESIS`
 */
export function* tokensOf(text: string): Generator<SearchToken> {
  let at = 0;
  while (at < text.length) {
    if (space.test(text[at]!)) {
      at++;
      continue;
    }
    const begin = at;
    if (text[at] === ')') {
      yield { kind: 'close', at };
      at++;
      assertPartEnds(text, at, 'SEARCH_PARENTHESIS', 'put a space after the parenthesis, or quote the text');
      continue;
    }
    const negated = text[at] === '-';
    if (negated) at++;
    if (text[at] === '(') {
      yield { kind: 'open', at: begin, negated };
      at++;
      continue;
    }
    const end = endOfPlain(text, at);
    const plain = text.slice(at, end);
    at = end;
    if (text[at] !== '"') {
      yield !negated && plain === 'OR'
        ? { kind: 'or', at: begin }
        : { kind: 'part', at: begin, negated, plain, quoted: undefined };
      continue;
    }
    if (plain !== '' && !plain.endsWith(':')) {
      const message = 'put a space before the quotation mark, or write \\" within a phrase';
      throw new SearchError('SEARCH_QUOTE_OPEN', at, message);
    }
    const close = endOfQuote(text, at);
    const quoted = text.slice(at + 1, close).replaceAll(/\\(["\\])/g, '$1');
    yield { kind: 'part', at: begin, negated, plain, quoted };
    at = close + 1;
    assertPartEnds(text, at, 'SEARCH_QUOTE_OPEN', 'put a space after the quotation mark');
  }
}

/** Where a text without quotation marks ends: before a space, a quotation mark, or a parenthesis that it has not opened. */
function endOfPlain(text: string, from: number): number {
  let open = 0;
  let at = from;
  for (; at < text.length && text[at] !== '"' && !space.test(text[at]!); at++) {
    if (text[at] === '(') open++;
    else if (text[at] === ')' && open-- === 0) break;
  }
  return at;
}

/** The place of the quotation mark that ends a phrase. */
function endOfQuote(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  throw new SearchError('SEARCH_QUOTE_OPEN', from, 'the phrase has no closing quotation mark');
}

function assertPartEnds(
  text: string,
  at: number,
  code: 'SEARCH_QUOTE_OPEN' | 'SEARCH_PARENTHESIS',
  message: string,
): void {
  if (at < text.length && text[at] !== ')' && !space.test(text[at]!))
    throw new SearchError(code, at, message);
}
