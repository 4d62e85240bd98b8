import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendixB } from '../../../../spec/vectors/generator/canonical.ts';
import { CanonicalizationError, canonicalize, isCanonical } from '../../src/json/canonical.ts';
import { anyJson, anyKey, objectOf, ordinaryJson } from '../arbitraries.ts';
import { canonicalSlowly } from './canonical-slow.ts';

function double(bits: string): number {
  return new DataView(BigInt(`0x${bits}`) === 0n ? new ArrayBuffer(8) : bytesOf(bits)).getFloat64(0);
}
function bytesOf(bits: string): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${bits}`));
  return view.buffer;
}

describe('canonicalize', () => {
  it('writes the sample of RFC 8785 section 3.2', () => {
    const sample = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonicalize(JSON.parse(sample))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts the sample of section 3.2.3 by code units, not by code points', () => {
    const sample = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect(canonicalize(sample)).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis",' +
        '"€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
  });

  it.each(appendixB)('writes the double %s as %s', (bits, text) => {
    expect(canonicalize(double(bits))).toBe(text);
  });

  it('agrees with the slow writer on any JSON value', () => {
    fc.assert(
      fc.property(anyJson, ordinaryJson, (value, ordinary) => {
        expect(canonicalize(value)).toBe(canonicalSlowly(value));
        // A name like an integer anywhere leaves the fast path, so ordinary values need a property of their own.
        expect(canonicalize(ordinary)).toBe(canonicalSlowly(ordinary));
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not depend on the order of members, nor change what it is given', () => {
    const members = fc.uniqueArray(fc.tuple(anyKey, anyJson), { selector: ([key]) => key, maxLength: 8 });
    fc.assert(
      fc.property(members, (list) => {
        const forwards = objectOf(list);
        const keys = Object.keys(forwards);
        expect(canonicalize(objectOf(list.toReversed()))).toBe(canonicalize(forwards));
        expect(Object.keys(forwards)).toEqual(keys);
      }),
    );
  });

  it('is read back as the same value', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const text = canonicalize(value);
        expect(canonicalSlowly(JSON.parse(text))).toBe(text);
        expect(isCanonical(text)).toBe(true);
      }),
    );
  });

  it('keeps integer-like keys and __proto__, which a sorted copy would lose or move', () => {
    const value = JSON.parse('{"a":{"9":1,"10":{"__proto__":[{"z":1,"b":2}]}},"__proto__":{"x":1}}');
    expect(canonicalize(value)).toBe('{"__proto__":{"x":1},"a":{"10":{"__proto__":[{"b":2,"z":1}]},"9":1}}');
    expect(Object.getPrototypeOf({}).x).toBeUndefined();
  });

  it('leaves out members that are undefined, on both paths', () => {
    expect(canonicalize({ b: undefined, a: 1 })).toBe('{"a":1}');
    expect(canonicalize({ c: 3, b: undefined, a: { z: 1, y: undefined } })).toBe('{"a":{"z":1},"c":3}');
    expect(canonicalize({ '1': undefined, '0': 2 })).toBe('{"0":2}');
  });

  it('tells an escaped backslash before "ud800" from a lone surrogate', () => {
    expect(canonicalize('\\ud800')).toBe('"\\\\ud800"');
    expect(() => canonicalize('\ud800')).toThrow(CanonicalizationError);
  });

  it('refuses strings and keys exactly where they hold a lone surrogate', () => {
    const units = fc.constantFrom('\ud800', '\udbff', '\udc00', '\udfff', 'a', '\\', 'ud800');
    fc.assert(
      fc.property(fc.string({ unit: units, maxLength: 5 }), (text) => {
        for (const value of [text, [text], { [text]: 1 }, { '1': { [text]: text } }]) {
          if (text.isWellFormed()) expect(canonicalize(value)).toBe(canonicalSlowly(value));
          else expect(() => canonicalize(value)).toThrow(CanonicalizationError);
        }
      }),
    );
  });

  const date = new Date(0);
  it.each([
    ['NaN', Number.NaN],
    ['an infinite number', -Infinity],
    ['undefined', undefined],
    ['a hole in an array', new Array(2)],
    ['a bigint', { a: 1n }],
    ['a function', { a: () => 1 }],
    ['a symbol', [Symbol('x')]],
    ['a date', { a: date }],
    // The slow path once wrote it as {}: an integer-like key elsewhere decided whether a date was refused.
    ['a date beside an integer-like key', { '1': date }],
    ['NaN beside an integer-like key', { '1': [Number.NaN] }],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalize(value)).toThrow(CanonicalizationError);
  });
});

describe('isCanonical', () => {
  it.each([
    ['white space', '{"a": 1}'],
    ['a final newline', '{"a":1}\n'],
    ['unsorted members', '{"b":1,"a":2}'],
    ['a duplicate member', '{"a":1,"a":1}'],
    ['a needless escape', '"\\u0041"'],
    ['an upper-case escape', '"\\u001F"'],
    ['an escaped slash', '"\\/"'],
    ['minus zero', '-0'],
    ['a trailing zero', '1.0'],
    ['an exponent written otherwise', '1E2'],
    ['an integer that a double can not hold', '9007199254740993'],
    ['a number past the largest', '1e999'],
    ['an escaped lone surrogate', '"\\ud800"'],
    ['a byte-order mark', '\ufeff{}'],
    ['no JSON', '{'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(isCanonical(text)).toBe(false);
  });

  it('says what the slow writer says, of any text that is nearly canonical', () => {
    const slowly = (text: string) => {
      try {
        return canonicalSlowly(JSON.parse(text)) === text;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(anyJson, fc.nat(), fc.constantFrom(' ', '0', '"', ',', ''), (value, seed, extra) => {
        const text = canonicalize(value);
        const at = seed % (text.length + 1);
        const mutant = text.slice(0, at) + extra + text.slice(extra === '' ? at + 1 : at);
        expect(isCanonical(mutant)).toBe(slowly(mutant));
      }),
      { numRuns: 500 },
    );
  });

  it('answers, and does not throw, for text nested deeper than the stack', () => {
    expect(isCanonical('['.repeat(200_000) + ']'.repeat(200_000))).toBe(false);
  });
});
