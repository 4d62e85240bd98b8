import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { gunzipIfNeeded, splitLines } from '../../src/bundle/lines.ts';
import { collect, pieces, stream, utf8 } from '../fixture.ts';

const textsOf = async (source: AsyncIterable<Uint8Array>) => {
  const decoder = new TextDecoder();
  return (await collect(source)).map((line) => decoder.decode(line));
};

test('lines are the same wherever the pieces end', async () => {
  const bytes = utf8('é\n\n\u{1f600} zwei\nthree\n');
  const expected = ['é\n', '\n', '\u{1f600} zwei\n', 'three\n'];
  for (let a = 0; a <= bytes.length; a++) {
    for (let b = a; b <= bytes.length; b++) {
      const cut = pieces(bytes.subarray(0, a), bytes.subarray(a, b), bytes.subarray(b));
      expect(await textsOf(splitLines(cut))).toEqual(expected);
    }
  }
});

test('a line may have 2 MiB with its end, and no byte more', async () => {
  const line = (length: number) => utf8(`${'x'.repeat(length - 1)}\n`);
  expect(await textsOf(splitLines(stream(line(2_097_152), 60_000)))).toHaveLength(1);
  for (const size of [60_000, 4_000_000]) {
    await expect(textsOf(splitLines(stream(line(2_097_153), size)))).rejects.toMatchObject({
      code: 'BUNDLE_DAMAGED',
    });
  }
});

test('a line without an end is refused before all of it is held', async () => {
  let given = 0;
  async function* endless() {
    for (;;) {
      given += 65_536;
      yield new Uint8Array(65_536).fill(0x78);
    }
  }
  await expect(textsOf(splitLines(endless()))).rejects.toMatchObject({ code: 'BUNDLE_DAMAGED' });
  expect(given).toBeLessThan(2_097_152 + 2 * 65_536);
});

describe('gzip', () => {
  const text = Array.from({ length: 500 }, (_, at) => `line ${at * 7919}\n`).join('');
  const packed = gzipSync(text);
  const unpacked = async (source: AsyncIterable<Uint8Array>) =>
    Buffer.concat(await collect(gunzipIfNeeded(source))).toString();

  test('is unpacked wherever the pieces end, and anything else is passed through', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom(packed, utf8(text)), async (lengths, bytes) => {
        const parts: Uint8Array[] = [];
        let at = 0;
        for (const length of lengths) {
          parts.push(bytes.subarray(at, at + length));
          at += length;
        }
        expect(await unpacked(pieces(...parts, bytes.subarray(at)))).toBe(text);
      }),
      { numRuns: 60 },
    );
    expect(await unpacked(pieces())).toBe('');
    expect(await unpacked(pieces(Uint8Array.of(0x1f)))).toBe('\u001f');
  });

  // Damage was reported as a file that ends early: the user looked for the rest of a file that was all there.
  test('that ends early is truncated, and anything else that is wrong is damage', async () => {
    const codeOf = async (bytes: Uint8Array) => await unpacked(stream(bytes)).catch(({ code }) => code);
    for (const end of [2, 3, 9, 10, 11, 200, packed.length - 8, packed.length - 1])
      expect([end, await codeOf(packed.subarray(0, end))]).toEqual([end, 'BUNDLE_TRUNCATED']);
    const edit = (at: number, value: number) => Uint8Array.from(packed).fill(value, at, at + 1);
    const damaged = [
      ['method', edit(2, 9)],
      ['reserved flag', edit(3, 0x80)],
      ['content', Uint8Array.from(packed).fill(0, 300, 340)],
      ['checksum', edit(packed.length - 8, packed[packed.length - 8]! ^ 1)],
      ['length', edit(packed.length - 1, packed[packed.length - 1]! ^ 1)],
      ['text after it', Buffer.concat([packed, utf8('more')])],
      ['a name without an end', Buffer.concat([edit(3, 8).subarray(0, 10), new Uint8Array(70_000).fill(65)])],
    ] as const;
    for (const [what, bytes] of damaged)
      expect([what, await codeOf(bytes)]).toEqual([what, 'BUNDLE_DAMAGED']);
  });

  test('of several members is one stream, zeros between and after them are padding', async () => {
    const named = Buffer.concat([
      Uint8Array.of(0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 255, 2, 0, 1, 2),
      utf8('name\0comment\0'),
      Uint8Array.of(0, 0),
      packed.subarray(10),
    ]);
    const zeros = new Uint8Array(5);
    expect(await unpacked(stream(Buffer.concat([packed, zeros, named, zeros])))).toBe(text + text);
  });

  // A connection that broke was reported as a truncated bundle: a verdict about the trail, where there was none.
  test.each([['gzip', packed] as const, ['plain', utf8(text)] as const])(
    'a fault of the source is told as it is: %s',
    async (_, bytes) => {
      async function* failing() {
        yield bytes.subarray(0, 100);
        throw new Error('connection reset');
      }
      await expect(unpacked(failing())).rejects.toThrow('connection reset');
    },
  );

  test.each([['gzip', packed] as const, ['plain', utf8(text)] as const])(
    'a reader that stops early closes the source: %s',
    async (_, bytes) => {
      let closed = false;
      async function* source() {
        try {
          for (;;) yield bytes.subarray(0, 100);
        } finally {
          closed = true;
        }
      }
      const reading = gunzipIfNeeded(source());
      await reading.next();
      await reading.return(undefined);
      await vi.waitFor(() => expect(closed).toBe(true));
    },
  );
});
