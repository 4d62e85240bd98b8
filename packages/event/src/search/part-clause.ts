import { type IpRange, parseIpRange } from '../addresses/ip-range.ts';
import { conditionOf } from './field-clause.ts';
import { type SearchClause, SearchError, type SearchErrorCode } from './query.ts';
import { prefixLengths } from './search-terms.ts';
import type { SearchPart } from './search-tokens.ts';
import { wordsOf } from './tokens.ts';

/** Words that only other languages of queries know. An `OR` between parts is no part. */
const operators: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT']);
const minPrefix = prefixLengths[0];

/**
 * What one part of a search demands; undefined if it has nothing to look for, such as `--`.
 *
 * @throws {SearchError} with the position of the fault
 */
export function clauseOf({ at, negated, plain, quoted }: SearchPart): SearchClause | undefined {
  const begin = at + (negated ? 1 : 0);
  const fault = (code: SearchErrorCode, message: string) => new SearchError(code, begin, message);
  if (quoted !== undefined && plain === '') {
    const words = wordsOf(quoted);
    return words.length === 0 ? undefined : { kind: 'words', words, isPrefix: false, negated };
  }
  if (quoted === undefined && operators.has(plain))
    throw fault(
      'SEARCH_OPERATOR_UNKNOWN',
      `a search has no ${negated ? '-' : ''}${plain}: parts beside each other must all match, OR is between alternatives, and - leaves a part out. ` +
        'Quote the word to search for it',
    );
  const range = quoted === undefined ? addressOf(plain, begin) : undefined;
  if (range !== undefined) return { kind: 'address', range, negated };
  const colon = plain.indexOf(':');
  const name = plain.slice(0, Math.max(0, colon));
  if (isFieldName(name) && !plain.startsWith('//', colon + 1)) {
    const value = quoted ?? plain.slice(colon + 1);
    if (quoted === undefined && value.startsWith('('))
      throw new SearchError(
        'SEARCH_VALUE_INVALID',
        begin + colon + 1,
        `write (${name}:a OR ${name}:b), or quote a value that begins with a parenthesis`,
      );
    return { kind: 'field', condition: conditionOf(name, value, negated, begin), negated };
  }
  if (quoted !== undefined) throw fault('SEARCH_FIELD_UNKNOWN', `"${name}" is not a field`);
  const star = plain.indexOf('*');
  if (star >= 0 && star !== plain.length - 1)
    throw fault(
      'SEARCH_STAR_MISPLACED',
      'a * is allowed only at the end of a word. Quote the text to search for its words',
    );
  const words = wordsOf(plain);
  if (star < 0) return words.length === 0 ? undefined : { kind: 'words', words, isPrefix: false, negated };
  const last = wordsOf(plain.slice(0, star).slice(-1)).length === 0 ? undefined : words.at(-1);
  if (last === undefined || [...last].length < minPrefix)
    throw fault(
      'SEARCH_PREFIX_TOO_SHORT',
      `the beginning of a word before * needs ${minPrefix} letters or digits`,
    );
  return { kind: 'words', words, isPrefix: true, negated };
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
