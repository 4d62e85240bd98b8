import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64 } from '../src/bytes.ts';
import { formatCheckpoint, formatOrigin, parseCheckpoint, parseOrigin } from '../src/checkpoint.ts';
import { origin } from './fixture.ts';

const malformed = expect.objectContaining({ code: 'CHECKPOINT_MALFORMED' });
const root = new Uint8Array(32).fill(9);
const base64 = toBase64(root);

describe('checkpoints', () => {
  it('are three lines', () => {
    expect(formatCheckpoint({ origin, size: 42, root })).toBe(`${origin}\n42\n${base64}\n`);
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (size, hash) => {
        expect(parseCheckpoint(formatCheckpoint({ origin, size, root: hash }))).toEqual({
          origin,
          size,
          root: hash,
        });
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['no root', `${origin}\n42\n`],
    ['no final newline', `${origin}\n42\n${base64}`],
    ['no origin', `\n42\n${base64}\n`],
    ['an extension line', `${origin}\n42\n${base64}\nmore\n`],
    ['an empty line more', `${origin}\n42\n${base64}\n\n`],
    ['a leading zero', `${origin}\n042\n${base64}\n`],
    ['a sign', `${origin}\n+42\n${base64}\n`],
    ['a negative size', `${origin}\n-1\n${base64}\n`],
    ['a hexadecimal size', `${origin}\n0x2a\n${base64}\n`],
    ['a size with a space', `${origin}\n42 \n${base64}\n`],
    ['a size past 2^53', `${origin}\n9007199254740993\n${base64}\n`],
    ['a short root', `${origin}\n42\n${toBase64(root.slice(1))}\n`],
    ['a long root', `${origin}\n42\n${toBase64(Uint8Array.of(...root, 0))}\n`],
    ['a root without padding', `${origin}\n42\n${base64.slice(0, -1)}\n`],
    ['a root with stray bits', `${origin}\n42\n${`${base64.slice(0, -2)}l=`}\n`],
    ['Windows line ends', `${origin}\r\n42\r\n${base64}\r\n`],
  ])('with %s are refused', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(malformed);
  });
});

describe('origins', () => {
  it.each([
    [{ logName: 'audit.example.com', tenantId: 'acme', epoch: 1 }, 'audit.example.com/acme/1'],
    [{ logName: 'a/b', tenantId: 'A:b@c_d', epoch: 12 }, 'a/b/A:b@c_d/12'],
  ])('%j', (parts, text) => {
    expect(formatOrigin(parts)).toBe(text);
    expect(parseOrigin(text)).toEqual(parts);
  });

  it.each([
    '',
    'acme/1',
    '/acme/1',
    'audit.example.com/acme',
    'audit.example.com/acme/',
    'audit.example.com/acme/0',
    'audit.example.com/acme/01',
    'audit.example.com/acme/-1',
    'audit.example.com/acme/1.5',
    'audit.example.com/acme/1\n',
    'audit.example.com//1',
    'audit.example.com/.acme/1',
    'Audit.example.com/acme/1',
    'audit example.com/acme/1',
    'audit+example.com/acme/1',
    'https://audit.example.com/acme/1',
    `${'a'.repeat(129)}/acme/1`,
  ])('refuse %j', (text) => {
    expect(() => parseOrigin(text)).toThrow(malformed);
  });

  it('are not made of parts that could not be read back', () => {
    const good = { logName: 'audit.example.com', tenantId: 'acme', epoch: 1 };
    for (const bad of [
      { logName: 'a/' },
      { tenantId: 'a/b' },
      { epoch: 0 },
      { epoch: 1.5 },
      { epoch: 2 ** 53 },
    ]) {
      expect(() => formatOrigin({ ...good, ...bad })).toThrow(malformed);
    }
  });
});
