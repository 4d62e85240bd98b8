import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes, fromBase64, fromHex, parseDecimal, toBase64, toHex } from '../src/bytes.ts';

const bytes = fc.uint8Array({ maxLength: 100 });

describe('hex and base64', () => {
  it('are those of Node, and read back', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toHex(value)).toBe(Buffer.from(value).toString('hex'));
        expect(toBase64(value)).toBe(Buffer.from(value).toString('base64'));
        expect(fromHex(toHex(value))).toEqual(value);
        expect(fromBase64(toBase64(value))).toEqual(value);
      }),
    );
  });

  it('have one spelling: text that is read is what the bytes are written as', () => {
    const units = fc.constantFrom('A', 'B', '/', '+', '=', '0', 'f', 'g', 'F', '-', '_', ' ', '\n');
    fc.assert(
      fc.property(fc.string({ unit: units, maxLength: 8 }), (text) => {
        const [fromBase, fromHexadecimal] = [fromBase64(text), fromHex(text)];
        if (fromBase !== undefined) expect(toBase64(fromBase)).toBe(text);
        if (fromHexadecimal !== undefined) expect(toHex(fromHexadecimal)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['A', 'AA', 'AAA', 'AA=', 'AAA==', 'AB==', 'AAB=', 'AA==AAAA', 'AA==\n', ' AA==', 'A-_=', '===='])(
    'base64 %j is refused',
    (text) => {
      expect(fromBase64(text)).toBeUndefined();
    },
  );

  it.each(['0', 'AA', '0x', 'zz', '00\n', ' 00'])('hex %j is refused', (text) => {
    expect(fromHex(text)).toBeUndefined();
  });
});

describe('parseDecimal', () => {
  it.each([
    ['0', 0],
    ['7', 7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('reads %s', (text, value) => {
    expect(parseDecimal(text)).toBe(value);
  });

  it.each([
    '',
    '00',
    '01',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x1',
    ' 1',
    '1\n',
    '٣',
    '9007199254740992',
    '1'.repeat(400),
  ])('refuses %j', (text) => {
    expect(parseDecimal(text)).toBeUndefined();
  });
});

describe('equalBytes and concatBytes', () => {
  it('agree with Node', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect(equalBytes(a, Uint8Array.from(a))).toBe(true);
        expect(toHex(concatBytes(a, b))).toBe(Buffer.concat([a, b]).toString('hex'));
      }),
    );
  });

  it('a prefix is not equal', () => {
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false);
  });
});
