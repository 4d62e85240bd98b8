import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../src/bytes.ts';
import { sha256 as node } from '../src/sha256.node.ts';
import { sha256 as web } from '../src/sha256.web.ts';

describe.each([
  ['node', node],
  ['web', web],
])('sha256 (%s)', (_, sha256) => {
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ])('of %j', (text, digest) => {
    expect(toHex(sha256(text))).toBe(digest);
    expect(toHex(sha256(new TextEncoder().encode(text)))).toBe(digest);
    expect(sha256(text)).toHaveLength(32);
  });
});

it('is the same in Node and in a browser', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300, size: 'max' }),
      fc.string({ unit: 'binary', maxLength: 100, size: 'max' }),
      (bytes, text) => {
        expect(toHex(web(bytes))).toBe(toHex(node(bytes)));
        expect(toHex(web(text))).toBe(toHex(node(text)));
      },
    ),
  );
});
