/**
 * Reads the text of a search: words, `"quoted phrases"`, beginnings `abc*`, `field:value`, IP addresses and ranges, and `-` before what
 * must not match. A client controls the text. It is read once from left to right, and its length and the number of its parts are bounded.
 */
import { type IpRange, parseIpRange } from '../ip-range.ts';
import { conditionOf } from './field-clause.ts';
import { type SearchClause, SearchError, type SearchErrorCode, type SearchQuery } from './query.ts';
import { prefixLengths } from './search-terms.ts';
import { wordsOf } from './tokens.ts';

/** Most UTF-16 code units of a search. */
export const maxSearchLength = 512;
/** Most parts of a search. */
const maxParts = 32;
const minPrefix = prefixLengths[0];

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
  const clauses: SearchClause[] = [];
  for (const part of partsOf(text)) {
    if (clauses.length === maxParts)
      throw new SearchError('SEARCH_TOO_MANY_PARTS', part.at, `a search has at most ${maxParts} parts`);
    clauses.push(...clauseOf(part));
  }
  if (clauses.length === 0)
    throw new SearchError('SEARCH_EMPTY', 0, 'the search has no word, address or field to look for');
  return { clauses };
}

/** One part of the text, between spaces. */
interface Part {
  /** Where it begins in the text. */
  readonly at: number;
  readonly negated: boolean;
  /** The text before the quotation mark, or all of it. */
  readonly plain: string;
  /** The text between quotation marks, without the escapes. */
  readonly quoted: string | undefined;
}

const space = /\s/u;

function* partsOf(text: string): Generator<Part> {
  let at = 0;
  while (at < text.length) {
    if (space.test(text[at]!)) {
      at++;
      continue;
    }
    const begin = at;
    const negated = text[at] === '-';
    if (negated) at++;
    const from = at;
    while (at < text.length && text[at] !== '"' && !space.test(text[at]!)) at++;
    const plain = text.slice(from, at);
    if (text[at] !== '"') {
      yield { at: begin, negated, plain, quoted: undefined };
      continue;
    }
    if (plain !== '' && !plain.endsWith(':'))
      throw new SearchError(
        'SEARCH_QUOTE_OPEN',
        at,
        'put a space before the quotation mark, or write \\" within a phrase',
      );
    const end = endOfQuote(text, at);
    yield { at: begin, negated, plain, quoted: text.slice(at + 1, end).replaceAll(/\\(["\\])/g, '$1') };
    at = end + 1;
    if (at < text.length && !space.test(text[at]!))
      throw new SearchError('SEARCH_QUOTE_OPEN', at, 'put a space after the quotation mark');
  }
}

/** The place of the quotation mark that ends a phrase. */
function endOfQuote(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  throw new SearchError('SEARCH_QUOTE_OPEN', from, 'the phrase has no closing quotation mark');
}

function clauseOf({ at, negated, plain, quoted }: Part): SearchClause[] {
  const begin = at + (negated ? 1 : 0);
  const fault = (code: SearchErrorCode, message: string) => new SearchError(code, begin, message);
  if (quoted !== undefined && plain === '') {
    const words = wordsOf(quoted);
    return words.length === 0 ? [] : [{ kind: 'words', words, isPrefix: false, negated }];
  }
  if (quoted === undefined && ['AND', 'OR', 'NOT'].includes(plain))
    throw fault(
      'SEARCH_OPERATOR_UNKNOWN',
      `a search has no ${plain}: all its parts must match, and - leaves one out. Quote the word to search for it`,
    );
  const range = quoted === undefined ? addressOf(plain, begin) : undefined;
  if (range !== undefined) return [{ kind: 'address', range, negated }];
  const colon = plain.indexOf(':');
  const name = plain.slice(0, Math.max(0, colon));
  if (isFieldName(name) && !plain.startsWith('//', colon + 1)) {
    const value = quoted ?? plain.slice(colon + 1);
    return [{ kind: 'field', condition: conditionOf(name, value, negated, begin), negated }];
  }
  if (quoted !== undefined) throw fault('SEARCH_FIELD_UNKNOWN', `"${name}" is not a field`);
  const star = plain.indexOf('*');
  if (star >= 0 && star !== plain.length - 1)
    throw fault(
      'SEARCH_STAR_MISPLACED',
      'a * is allowed only at the end of a word. Quote the text to search for its words',
    );
  const words = wordsOf(plain);
  if (star < 0) return words.length === 0 ? [] : [{ kind: 'words', words, isPrefix: false, negated }];
  const last = wordsOf(plain.slice(0, star).slice(-1)).length === 0 ? undefined : words.at(-1);
  if (last === undefined || [...last].length < minPrefix)
    throw fault(
      'SEARCH_PREFIX_TOO_SHORT',
      `the beginning of a word before * needs ${minPrefix} letters or digits`,
    );
  return [{ kind: 'words', words, isPrefix: true, negated }];
}

function isFieldName(name: string): boolean {
  return /^[A-Za-z][A-Za-z_-]*(?:\.[^"]*)?$/.test(name);
}

/** The address or range that a part is; undefined if it is none. */
function addressOf(text: string, position: number): IpRange | undefined {
  const range = parseIpRange(text);
  if (range !== undefined) return range;
  const [address = '', ...rest] = text.split('/');
  if (rest.length !== 1 || !/^\d+$/.test(rest[0]!) || parseIpRange(address) === undefined) return undefined;
  throw new SearchError(
    'SEARCH_ADDRESS_INVALID',
    position,
    `${address} has no range of /${rest[0]!.slice(0, 8)}`,
  );
}
