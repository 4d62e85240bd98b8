import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unpack } from '../../../src/kafka-client/records/unpack.ts';
import { UnpackError } from '../../../src/kafka-client/records/unpack-error.ts';
import { codecs } from './packed.ts';

const limit = 1024 * 1024;

function failure(
  codec: keyof typeof codecs,
  packed: Buffer,
  bound = limit,
): Pick<UnpackError, 'code' | 'message'> {
  try {
    unpack(codecs[codec], packed, bound);
  } catch (error) {
    if (error instanceof UnpackError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('was unpacked');
}

const text = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** Content like that of real events: some pieces repeat, near and far, others do not. */
const contents = fc
  .tuple(
    fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 12 }),
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 300 })), { maxLength: 200 }),
  )
  .map(([pieces, order]) =>
    Buffer.concat(
      order.flatMap(([which, times]) => Array<Uint8Array>(times).fill(pieces[which % pieces.length]!)),
    ),
  )
  // The library can't compress empty content once its memory has grown.
  .filter(({ length }) => length > 0);

describe('content that the client library has compressed is unpacked to the same bytes', () => {
  test.each(Object.keys(codecs) as (keyof typeof codecs)[])('%s', (codec) => {
    fc.assert(
      fc.property(contents, (content) => {
        const packed = Buffer.from(compressionsAlgorithms[codec].compressSync(content));
        expect(unpack(codecs[codec], packed).equals(content)).toBe(true);
        // At the bound, and one byte beyond it.
        if (content.length < 2 || codec === 'none') return;
        expect(unpack(codecs[codec], packed, content.length).equals(content)).toBe(true);
        expect(failure(codec, packed, content.length - 1).code).toBe('KAFKA_BATCH_TOO_LARGE');
      }),
      { numRuns: 60 },
    );
  });
});

describe('content that is too long takes no more memory than the limit', () => {
  const zeros = Buffer.alloc(64 * limit);
  test.each<[codec: keyof typeof codecs, pack: (content: Buffer) => Buffer]>([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['snappy', (content) => Buffer.from(compressionsAlgorithms.snappy.compressSync(content))],
    ['lz4', (content) => Buffer.from(compressionsAlgorithms.lz4.compressSync(content))],
  ])('%s', (codec, pack) => {
    const packed = pack(zeros);
    const before = process.memoryUsage().arrayBuffers;
    expect(failure(codec, packed)).toEqual({
      code: 'KAFKA_BATCH_TOO_LARGE',
      message: 'unpacks to more than 1048576 bytes',
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * limit);
  });

  test('a false length never makes the reader allocate more than the bound', () => {
    expect(failure('snappy', text('ffffffff0f 00 61')).code).toBe('KAFKA_BATCH_TOO_LARGE');
    // Four blocks, each within the bound.
    const block = Buffer.from(compressionsAlgorithms.snappy.compressSync(Buffer.alloc(limit / 2)));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    const header = Buffer.from('\x82SNAPPY\0\0\0\0\x01\0\0\0\x01', 'latin1');
    const stream = Buffer.concat([header, ...Array<Buffer[]>(4).fill([length, block]).flat()]);
    expect(failure('snappy', stream).code).toBe('KAFKA_BATCH_TOO_LARGE');
    expect(unpack(codecs.snappy, stream, 2 * limit).equals(Buffer.alloc(2 * limit))).toBe(true);
  });
});

test('streams of Snappy that follow one another are one', () => {
  const head = '82534e4150505900 00000001 00000001';
  const stream = text(`${head} 00000005 03 08 616263 ${head} 00000005 03 08 646566`);
  expect(unpack(codecs.snappy, stream).toString()).toBe('abcdef');
});

test('an LZ4 frame with checksums, its size and a block that is stored is read', () => {
  // Version 1, independent blocks, all three checksums; blocks of 64 KiB. The checksums' own bytes are not looked at.
  const frame = text(
    '04224d18 7c 40 0600000000000000 00 03000080 616263 00000000 04000000 30646566 00000000 00000000 00000000',
  );
  expect(unpack(codecs.lz4, frame).toString()).toBe('abcdef');
});

describe('malformed content is reported as unreadable, not as too long', () => {
  const frame = '04224d18 60 40 00';
  test.each<[what: string, codec: keyof typeof codecs, packed: Buffer]>([
    ['nothing', 'gzip', text('')],
    ['gzip that is cut off', 'gzip', gzipSync(Buffer.alloc(1_000)).subarray(0, 20)],
    ['another magic', 'zstd', text('00112233445566778899')],
    ['zstd that is cut off', 'zstd', zstdCompressSync(Buffer.alloc(1_000)).subarray(0, 12)],
    ['nothing', 'snappy', text('')],
    ['a length without an end', 'snappy', text('ffffffffffff')],
    ['a literal that is cut off', 'snappy', text('05 10 6162')],
    ['a literal whose length is cut off', 'snappy', text('05 f4')],
    ['more than the length says', 'snappy', text('01 04 6162')],
    ['less than the length says', 'snappy', text('05 04 6162')],
    ['a copy of what is not there', 'snappy', text('05 00 61 0e 0200')],
    ['a copy of nothing', 'snappy', text('05 00 61 0e 0000')],
    ['a copy beyond the length', 'snappy', text('03 00 61 0e 0100')],
    ['a copy that is cut off', 'snappy', text('05 00 61 0e 01')],
    ['a stream that is cut off', 'snappy', text('82534e4150505900 00000001 00000001 00000005 0308')],
    ['nothing', 'lz4', text('')],
    ['another magic', 'lz4', text('02214c18 60 40 00 00000000')],
    ['another version', 'lz4', text('04224d18 20 40 00 00000000')],
    ['a dictionary', 'lz4', text('04224d18 61 40 00000000 00 00000000')],
    ['no block size', 'lz4', text('04224d18 60 00 00 00000000')],
    ['a frame without an end', 'lz4', text(`${frame} 04000000 30646566`)],
    ['a block that is cut off', 'lz4', text(`${frame} 05000000 30646566`)],
    ['something behind the frame', 'lz4', text(`${frame} 04000000 30646566 00000000 00`)],
    ['literals that are cut off', 'lz4', text(`${frame} 02000000 3064 00000000`)],
    ['a length that is cut off', 'lz4', text(`${frame} 02000000 f0ff 00000000`)],
    ['a distance that is cut off', 'lz4', text(`${frame} 03000000 106401 00000000`)],
    ["a match's length that is cut off", 'lz4', text(`${frame} 04000000 1f640100 00000000`)],
    ['a match of what is not there', 'lz4', text(`${frame} 04000000 10640200 00000000`)],
    ['a match of nothing', 'lz4', text(`${frame} 04000000 10640000 00000000`)],
  ])('%s in %s', (_what, codec, packed) => {
    expect(failure(codec, packed).code).toBe('KAFKA_BATCH_UNREADABLE');
  });

  test('random bytes are refused or unpacked, within the limit', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('lz4', 'snappy'),
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        (codec, noise, isFramed) => {
          const head = codec === 'lz4' && isFramed ? text(frame) : Buffer.alloc(0);
          try {
            expect(unpack(codecs[codec], Buffer.concat([head, noise]), limit).length).toBeLessThanOrEqual(
              limit,
            );
          } catch (error) {
            expect(error).toBeInstanceOf(UnpackError);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

test('an unknown compression stops the partition, because the broker accepts it', () => {
  expect(() => unpack(5, Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'SOURCE_CORRUPT' }));
});
