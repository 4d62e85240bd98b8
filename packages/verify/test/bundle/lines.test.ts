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

  test('that is damaged or ends early is a truncated bundle', async () => {
    const damaged = Uint8Array.from(packed).fill(0, 300, 340);
    const cuts = [2, 10, 11, 200, packed.length - 8, packed.length - 1].map((end) => packed.subarray(0, end));
    for (const bytes of [...cuts, damaged, Buffer.concat([packed, utf8('more')])]) {
      await expect(unpacked(stream(bytes))).rejects.toMatchObject({ code: 'BUNDLE_TRUNCATED' });
    }
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
