import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxSearchLength, parseSearch } from '../../src/search/parse-query.ts';
import { SearchError, type SearchQuery } from '../../src/search/query.ts';

function read(text: string): unknown[] {
  return clausesOf(parseSearch(text));
}

function clausesOf({ clauses }: SearchQuery): unknown[] {
  return clauses.map((clause) => {
    const not = clause.negated ? ['not'] : [];
    if (clause.kind === 'any') return [...not, { any: clause.alternatives.map(clausesOf) }];
    if (clause.kind === 'words')
      return [...not, ...clause.words, ...(clause.isPrefix ? ['*'] : [])].join(' ');
    if (clause.kind === 'address')
      return [...not, clause.range.bytes.join('.'), '/', clause.range.bits].join(' ');
    const { parameter, path = '', values } = clause.condition;
    return [...not, parameter.name, path, ...values].join('|');
  });
}

test.each([
  ['login', ['login']],
  ['Failed LOGIN', ['failed', 'login']],
  ['"failed login" -success', ['failed login', 'not success']],
  ['"say \\"no\\" \\\\ now"', ['say no now']],
  ['-"failed login"', ['not failed login']],
  ['maria.lopez@example.com', ['maria lopez example com']],
  ['/var/log/app.log', ['var log app log']],
  ['10.0.0.0/8 -10.1.2.3', ['10.0.0.0 / 8', 'not 10.1.2.3 / 32']],
  ['2001:db8::/33 ::ffff:10.1.2.3', ['32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.0 / 33', '10.1.2.3 / 32']],
  ['invest*', ['invest *']],
  ['web-serv*', ['web serv *']],
  ['actor:user:maria', ['actor||user:maria']],
  ['-severity:info type:auth.*', ['not|severity||info', 'event_type||auth.*']],
  ['is_sensitive:true', ['is_sensitive||true']],
  ['metadata.http.status:404', ['metadata|http.status|404']],
  ['metadata.title:"two words"', ['metadata|title|two words']],
  ['source-ip:10.0.0.0/8', ['source_ip||10.0.0.0/8']],
  ['https://example.com/a', ['https example com a']],
  ['12:30', ['12 30']],
  ['"actor:maria"', ['actor maria']],
  ['- x', ['x']],
  ['foo(bar)', ['foo bar']],
  ['"OR"', ['or']],
  ['a or b', ['a', 'or', 'b']],
  ['a OR b', [[{ any: [['a'], ['b']] }]]],
  [
    'a b OR -c d',
    [
      [
        {
          any: [
            ['a', 'b'],
            ['not c', 'd'],
          ],
        },
      ],
    ],
  ],
  ['a (b OR c) -(d e)', ['a', [{ any: [['b'], ['c']] }], ['not', { any: [['d', 'e']] }]]],
  ['-(a OR severity:info)', [['not', { any: [['a'], ['severity||info']] }]]],
  ['(a b) ((c)) -(-d)', ['a', 'b', 'c', ['not', { any: [['not d']] }]]],
  ['(call(x) OR "b c")', [[{ any: [['call x'], ['b c']] }]]],
  ['(actor:mia OR\tinvest*)', [[{ any: [['actor||mia'], ['invest *']] }]]],
  ['foo(bar', ['foo bar']],
  ['(metadata.a:"x y")', ['metadata|a|x y']],
])('%s', (text, clauses) => {
  expect(read(text)).toEqual(clauses);
});

test.each([
  ['', 'SEARCH_EMPTY', 0],
  ['  --- ', 'SEARCH_EMPTY', 0],
  [`${'x'.repeat(maxSearchLength)} `, 'SEARCH_TOO_LONG', 512],
  ['x '.repeat(33), 'SEARCH_TOO_MANY_PARTS', 64],
  ['say "hello', 'SEARCH_QUOTE_OPEN', 4],
  ['"hello \\"', 'SEARCH_QUOTE_OPEN', 0],
  ['a"b"', 'SEARCH_QUOTE_OPEN', 1],
  ['"a"b', 'SEARCH_QUOTE_OPEN', 3],
  ['x colour:red', 'SEARCH_FIELD_UNKNOWN', 2],
  ['12:"a b"', 'SEARCH_FIELD_UNKNOWN', 0],
  ['from:2026-01-01', 'SEARCH_FIELD_UNKNOWN', 0],
  ['metadata:x', 'SEARCH_FIELD_UNKNOWN', 0],
  ['actor:', 'SEARCH_VALUE_INVALID', 6],
  ['-severity:high', 'SEARCH_VALUE_INVALID', 10],
  ['is_sensitive:yes', 'SEARCH_VALUE_INVALID', 13],
  ['source_ip:10.0.0', 'SEARCH_VALUE_INVALID', 10],
  ['10.0.0.0/33', 'SEARCH_ADDRESS_INVALID', 0],
  ['*', 'SEARCH_PREFIX_TOO_SHORT', 0],
  ['ab*', 'SEARCH_PREFIX_TOO_SHORT', 0],
  ['long-*', 'SEARCH_PREFIX_TOO_SHORT', 0],
  ['a*b', 'SEARCH_STAR_MISPLACED', 0],
  ['*abc', 'SEARCH_STAR_MISPLACED', 0],
  ['abc**', 'SEARCH_STAR_MISPLACED', 0],
  ['a AND b', 'SEARCH_OPERATOR_UNKNOWN', 2],
  ['a -OR', 'SEARCH_OPERATOR_UNKNOWN', 3],
  ['OR a', 'SEARCH_OR_MISPLACED', 0],
  ['a OR', 'SEARCH_OR_MISPLACED', 2],
  ['a OR OR b', 'SEARCH_OR_MISPLACED', 2],
  ['a OR -- ', 'SEARCH_OR_MISPLACED', 2],
  ['(a OR ) b', 'SEARCH_OR_MISPLACED', 3],
  ['x (', 'SEARCH_PARENTHESIS', 2],
  ['a (b OR c', 'SEARCH_PARENTHESIS', 2],
  ['see foo)', 'SEARCH_PARENTHESIS', 7],
  ['(a)b', 'SEARCH_PARENTHESIS', 3],
  ['a () b', 'SEARCH_EMPTY', 2],
  ['a -( -- )', 'SEARCH_EMPTY', 2],
  ['((((a)))) (((((a)))))', 'SEARCH_TOO_DEEP', 14],
  [`${'(x OR y) '.repeat(17)}`, 'SEARCH_TOO_MANY_PARTS', 145],
  ['x (a OR severity:high)', 'SEARCH_VALUE_INVALID', 17],
  ['actor:(a OR b)', 'SEARCH_VALUE_INVALID', 6],
])('%s is refused with %s at %d', (text, code, position) => {
  let error: unknown;
  try {
    parseSearch(text);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(SearchError);
  expect(error).toMatchObject({ code, position });
});

test('any text is a search, or is refused with a place in it', () => {
  const piece = fc.constantFrom(
    '"',
    '\\',
    '-',
    '(',
    ')',
    ' OR ',
    '*',
    ':',
    '/',
    ' ',
    'actor',
    'metadata.',
    '10.0.0.1',
    'a',
    '\u0000',
    '😀',
    '\ud800',
  );
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.array(piece).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (each) => {
      try {
        const [parts, depth] = sizeOf(parseSearch(each));
        expect(parts).toBeGreaterThan(0);
        expect(parts).toBeLessThanOrEqual(32);
        expect(depth).toBeLessThanOrEqual(5);
      } catch (error) {
        if (!(error instanceof SearchError)) throw error;
        expect(error.position).toBeGreaterThanOrEqual(0);
        expect(error.position).toBeLessThanOrEqual(Math.max(each.length, 512));
      }
    }),
  );
});

/** The number of parts of a query, and how many lists of clauses are within each other. */
function sizeOf({ clauses }: SearchQuery): readonly [number, number] {
  const sizes = clauses.map((clause): readonly [number, number] => {
    if (clause.kind !== 'any') return [1, 0];
    const inner = clause.alternatives.map(sizeOf);
    return [inner.reduce((sum, [parts]) => sum + parts, 0), Math.max(...inner.map(([, depth]) => depth))];
  });
  return [
    sizes.reduce((sum, [parts]) => sum + parts, 0),
    1 + Math.max(0, ...sizes.map(([, depth]) => depth)),
  ];
}
