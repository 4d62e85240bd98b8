import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ElementScanner } from '../../src/import/element-scanner.ts';
import { type Fault, isFault, type Scanner, type Slice } from '../../src/import/slice.ts';

const listNames = ['Records', 'items'];
const maxBytes = 1_000;

function scanAll(scanner: Scanner, bytes: Uint8Array, cuts: readonly number[] = []): (Slice | Fault)[] {
  const found: (Slice | Fault)[] = [];
  let from = 0;
  for (const cut of [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]) {
    found.push(...scanner.scan(bytes.subarray(from, cut)));
    from = cut;
  }
  found.push(...scanner.end());
  return found;
}

const scan = (text: string, cuts?: readonly number[]) =>
  scanAll(new ElementScanner({ listNames, maxBytes }), Buffer.from(text), cuts);
const textOf = (found: Slice | Fault) =>
  isFault(found) ? `${found.fault}@${found.line}` : Buffer.from(found.bytes).toString();
const texts = (text: string) => scan(text).map(textOf);

describe('what it cuts out', () => {
  test.each([
    ['a list by name', '{"Records":[{"a":1},{"b":[2,{"c":3}]}]}', ['{"a":1}', '{"b":[2,{"c":3}]}']],
    ['an event a line', '{"a":1}\n{"b":2}\n\n{"c":3}', ['{"a":1}', '{"b":2}', '{"c":3}']],
    [
      'documents without a newline between them',
      '{"Records":[{"a":1}]}{"Records":[{"b":2}]}',
      ['{"a":1}', '{"b":2}'],
    ],
    [
      'a list after other members',
      '{"kind":"EventList","metadata":{"x":[1]},"items":[{"a":1}]}',
      ['{"a":1}'],
    ],
    ['members after the list', '{"items":[{"a":1}],"x":{"y":["}"]}}{"b":2}', ['{"a":1}', '{"b":2}']],
    ['a bare array', '[{"a":1},\n{"b":2}]', ['{"a":1}', '{"b":2}']],
    ['an empty list', '{"Records":[]}', []],
    ['nothing', ' \n\t\r\n', []],
    ['an indented event', '{\n  "a": {\n    "b": 1\n  }\n}\n', ['{\n  "a": {\n    "b": 1\n  }\n}']],
    [
      'elements at line starts',
      '{"Records":[\n{"a":1},\n{"b":\n{"c":1}}\n]}',
      ['{"a":1}', '{"b":\n{"c":1}}'],
    ],
    ['brackets, quotes and commas in strings', '{"Records":[{"a":"]},{\\"\\\\"}]}', ['{"a":"]},{\\"\\\\"}']],
    ['a list name that is only a value', '{"a":"Records","b":[1]}', ['{"a":"Records","b":[1]}']],
    ['a list name inside a string', '{"a":"\\"Records\\":[","b":[1]}', ['{"a":"\\"Records\\":[","b":[1]}']],
    ['a list name deeper down', '{"a":{"Records":[1]}}', ['{"a":{"Records":[1]}}']],
    ['an unnamed list', '{"Other":[{"a":1}]}', ['{"Other":[{"a":1}]}']],
    ['elements that are no objects', '[1, "x,]" ,null,[2]\n]', ['1', '"x,]"', 'null', '[2]']],
    ['a line of something else', 'hello "world\n{"a":1}', ['hello "world', '{"a":1}']],
    ['the white space around, not inside', '{"Records" : [ { "a" : 1 } ] }', ['{ "a" : 1 }']],
  ])('%s', (_, text, expected) => {
    expect(texts(text)).toEqual(expected);
  });

  test('positions: lines from 1, elements from 0', () => {
    const found = scan('{"a":1}\n{"Records":[{"b":1},\n\n{"c":1}]}\n{"d":1}');
    expect(found.map(({ line, element }) => [line, element])).toEqual([
      [1, undefined],
      [2, 0],
      [4, 1],
      [5, undefined],
    ]);
  });
});

describe('what is damaged', () => {
  test.each([
    ['an unclosed event on a line', '{"a":{"b":1\n{"c":2}', ['SOURCE_MALFORMED@1', '{"c":2}']],
    ['an unclosed string on a line', '{"a":"b\n{"c":2}', ['SOURCE_MALFORMED@1', '{"c":2}']],
    ['an unclosed string, ending in a backslash', '{"a":"b\\\n{"c":2}', ['SOURCE_MALFORMED@1', '{"c":2}']],
    [
      'an unclosed string in a list',
      '{"Records":[{\n"a":"x,\n"b":1},\n{"c":2}]}',
      ['SOURCE_MALFORMED@1', '{"c":2}'],
    ],
    [
      'an unclosed event in a list of lines',
      '{"Records":[\n{"a":{"b":1},\n{"c":2},\n{"d":3}\n]}',
      ['SOURCE_MALFORMED@2', '{"c":2}', '{"d":3}'],
    ],
    ['the end inside an event', '{"a":1}\n{"b":', ['{"a":1}', 'SOURCE_TRUNCATED@2']],
    ['the end inside a list', '{"Records":[{"a":1},', ['{"a":1}', 'SOURCE_TRUNCATED@1']],
    ['the end inside an element', '{"Records":[{"a":1},{"b', ['{"a":1}', 'SOURCE_TRUNCATED@1']],
    ['the end after a list', '{"Records":[{"a":1}]', ['{"a":1}', 'SOURCE_TRUNCATED@1']],
    ['the end after a bare value in a list', '[1', ['1', 'SOURCE_TRUNCATED@1']],
    [
      'a list closed by a brace',
      '{"Records":[{"a":1}}\n',
      ['{"a":1}', 'SOURCE_MALFORMED@1', 'SOURCE_TRUNCATED@2'],
    ],
    ['stray closing brackets', ']}\n{"a":1}', [']}', '{"a":1}']],
  ])('%s', (_, text, expected) => {
    expect(texts(text)).toEqual(expected);
  });

  test('an event over the limit is a fault, its neighbours are not', () => {
    const big = `{"a":"${'x'.repeat(maxBytes)}"}`;
    const found = scan(`{"Records":[{"b":1},${big},{"c":2}]}`);
    expect(found.map(textOf)).toEqual(['{"b":1}', 'SOURCE_TOO_LARGE@1', '{"c":2}']);
    expect(found[1]).toMatchObject({ element: 1, reason: '1008 bytes; an event has at most 1000' });
  });

  test('an event of exactly the limit passes', () => {
    const text = `{"a":"${'x'.repeat(maxBytes - 8)}"}`;
    expect(texts(`${text}\n`)).toEqual([text]);
  });

  test('brackets nested past what it keeps track of neither crash nor hide what follows', () => {
    const deep = `{"a":${'['.repeat(400)}${']'.repeat(400)}}`;
    expect(texts(`${deep}\n{"b":1}`)).toEqual([deep, '{"b":1}']);
  });
});

describe('properties', () => {
  const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => JSON.stringify(value).length < maxBytes / 8);
  const object = fc
    .dictionary(fc.string(), json, { maxKeys: 4 })
    .filter((value) => !listNames.some((name) => Array.isArray(value[name])))
    .filter((value) => JSON.stringify(value).length < maxBytes / 8);
  const indent = fc.constantFrom(undefined, 1, 4, '\t');
  const cuts = fc.array(fc.nat(2_000), { maxLength: 12 });

  test('the elements of a list are those that JSON.parse finds, however the bytes arrive', () => {
    fc.assert(
      fc.property(fc.array(json), object, indent, cuts, (elements, more, space, at) => {
        const text = JSON.stringify({ ...more, Records: elements, items: 1 }, null, space);
        const found = scan(text, at).map((slice) => JSON.parse(textOf(slice)));
        expect(found).toEqual(JSON.parse(text).Records);
      }),
    );
  });

  test('documents one after the other come out in order and byte for byte', () => {
    const separator = fc.constantFrom('', '\n', '\r\n', ' \n\n');
    fc.assert(
      fc.property(fc.array(fc.tuple(object, indent, separator)), cuts, (documents, at) => {
        const written = documents.map(([value, space]) => JSON.stringify(value, null, space));
        const text = written.map((document, index) => document + documents[index]![2]).join('');
        expect(scan(text, at).map(textOf)).toEqual(written);
      }),
    );
  });

  test('any bytes whatever give the same result in one chunk and byte by byte', () => {
    const hostile = fc
      .array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '\n', ' ', 'a', '"Records":[', '1'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(hostile, (text) => {
        const everywhere = Array.from({ length: text.length }, (_, at) => at + 1);
        expect(scan(text, everywhere)).toEqual(scan(text));
      }),
      { numRuns: 500 },
    );
  });
});
