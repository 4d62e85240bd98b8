import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePointer, toPointer } from '../../src/json/pointer.ts';

describe('JSON pointers (RFC 6901)', () => {
  it.each([
    ['', []],
    ['/foo/0', ['foo', '0']],
    ['/', ['']],
    ['/a~1b', ['a/b']],
    ['/m~0n', ['m~n']],
    ['/~01', ['~1']],
    ['/ ', [' ']],
  ])('reads %j', (pointer, tokens) => {
    expect(parsePointer(pointer)).toEqual(tokens);
    expect(toPointer(tokens)).toBe(pointer);
  });

  it.each(['foo', '/~', '/~2', '/a~'])('refuses %j', (pointer) => {
    expect(parsePointer(pointer)).toBeUndefined();
  });

  it('come back as the tokens they were made of', () => {
    const token = fc.string({ unit: fc.constantFrom('~', '/', '0', '1', 'a', '\u{1f600}') });
    fc.assert(
      fc.property(fc.array(token), (tokens) => {
        expect(parsePointer(toPointer(tokens))).toEqual(tokens);
      }),
    );
  });
});
