import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUtf8, parseStrictJson } from '../../src/json/strict-json.ts';
import { anyJson, anyKey } from '../arbitraries.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const coded = (code: string) => expect.objectContaining({ code, pointer: '' });

describe('decodeUtf8', () => {
  it.each([
    ['a stray continuation byte', bytes(0x22, 0x80, 0x22)],
    ['a truncated character', bytes(0x22, 0xe2, 0x82)],
    ['an overlong slash', bytes(0xc0, 0xaf)],
    ['an overlong zero', bytes(0xc0, 0x80)],
    ['an encoded surrogate', bytes(0xed, 0xa0, 0x80)],
    ['a code point past U+10FFFF', bytes(0xf4, 0x90, 0x80, 0x80)],
    ['UTF-16', bytes(0xff, 0xfe, 0x7b, 0x00)],
  ])('refuses %s', (_, input) => {
    expect(() => decodeUtf8(input)).toThrow(coded('UTF8_INVALID'));
  });

  it('keeps a byte-order mark, so that the JSON parser refuses it', () => {
    const text = decodeUtf8(bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d));
    expect(text).toBe('\ufeff{}');
    expect(() => parseStrictJson(text)).toThrow(coded('JSON_INVALID'));
  });

  it('decodes what TextEncoder encodes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeUtf8(new TextEncoder().encode(text))).toBe(text);
      }),
    );
  });
});

describe('parseStrictJson', () => {
  it('reads any JSON value, however it is spaced and escaped', () => {
    fc.assert(
      fc.property(anyJson, fc.constantFrom(0, 1, '\t', '\r\n'), (value, space) => {
        const compact = JSON.stringify(value);
        const escaped = compact.replaceAll(/[^\x20-\x7e]/g, (unit) => {
          return `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
        });
        for (const text of [compact, JSON.stringify(value, null, space), escaped]) {
          expect(JSON.stringify(parseStrictJson(text))).toBe(compact);
        }
      }),
    );
  });

  it('refuses a repeated member at any depth, whatever it is named and holds', () => {
    const wrap = fc.array(fc.constantFrom('{"a":#}', '[#]', '[1,"a:b",#]', '{"x":[],"y":#,"z":{}}'), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(anyKey, anyJson, anyJson, wrap, (key, first, second, wraps) => {
        const name = JSON.stringify(key);
        const inner = `{${name}:${JSON.stringify(first)},"~other":1,${name}:${JSON.stringify(second)}}`;
        const text = wraps.reduce((body, outer) => outer.replace('#', () => body), inner);
        expect(() => parseStrictJson(text)).toThrow(coded('JSON_DUPLICATE_KEY'));
      }),
    );
  });

  it('sees through escapes: "a" and "\\u0061" are one name', () => {
    expect(() => parseStrictJson('{"a":1,"\\u0061":2}')).toThrow(coded('JSON_DUPLICATE_KEY'));
    expect(() => parseStrictJson('{"__proto__":1,"__proto__":1}')).toThrow(coded('JSON_DUPLICATE_KEY'));
  });

  it('takes colons and quotes in strings for what they are', () => {
    const value = { 'a:b': '":', '"': ':{"a":1}', '\\': '\\"' };
    expect(parseStrictJson(JSON.stringify(value, null, 1))).toEqual(value);
  });

  it.each([
    ['nothing', ''],
    ['an unterminated object', '{"a":1'],
    ['a trailing comma', '{"a":1,}'],
    ['a comment', '{}//'],
    ['two values', '{}{}'],
    ['a bare word', 'NaN'],
    ['single quotes', "{'a':1}"],
    ['a leading zero', '[01]'],
    ['a raw control character', '["\u0001"]'],
    ['a raw U+0000', '["\u0000"]'],
    ['200 KB of opening brackets', '['.repeat(200_000)],
  ])('refuses %s', (_, text) => {
    expect(() => parseStrictJson(text)).toThrow(coded('JSON_INVALID'));
  });

  it('reads text nested deeper than the stack; how deep is too deep is for the limits to say', () => {
    const depth = 100_000;
    let value = parseStrictJson('['.repeat(depth) + ']'.repeat(depth));
    let levels = 0;
    while (Array.isArray(value)) {
      levels++;
      value = value[0];
    }
    expect(levels).toBe(depth);
  });

  it('never quotes the text in its error: it may hold a secret', () => {
    try {
      parseStrictJson('{"password":hunter2}');
      expect.unreachable();
    } catch (error) {
      expect(`${(error as Error).message} ${String((error as Error).cause)}`).not.toContain('hunter2');
    }
  });
});
