import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.ts';
import { nodeInTile, parseTilePath, tilePath, tileWidthAt } from '../../src/tree/tile.ts';
import { countingTree } from './naive-tree.ts';

const outOfRange = expect.objectContaining({ code: 'TREE_RANGE' });

describe('tile paths', () => {
  it.each([
    ['0/000', 0, 0, 256],
    ['0/x001/x234/067', 0, 1_234_067, 256],
    ['1/255.p/1', 1, 255, 1],
    ['63/x001/000.p/255', 63, 1_000, 255],
  ])('%s', (path, level, index, width) => {
    expect(tilePath({ level, index }, width)).toBe(path);
    expect(parseTilePath(path)).toEqual({ level, index, width });
  });

  it('come back as they were', () => {
    const indexes = fc.integer({ min: 0, max: 999_999_999_999_999 });
    fc.assert(
      fc.property(fc.nat({ max: 63 }), indexes, fc.integer({ min: 1, max: 256 }), (level, index, width) => {
        expect(parseTilePath(tilePath({ level, index }, width))).toEqual({ level, index, width });
      }),
    );
  });

  it.each([
    '',
    '0/0',
    '0/00',
    '00/000',
    '01/000',
    '64/000',
    '0/x000/001',
    '0/001/002',
    '0/x001/2',
    '0/1000',
    '0/000.p/0',
    '0/000.p/01',
    '0/000.p/256',
    '0/000.p/300',
    '0/000.p/',
    '-1/000',
    '0/000/',
    '0/000\n',
    '../0/000',
    '0/٠٠٠',
  ])('refuse %j', (path) => {
    expect(() => parseTilePath(path)).toThrow(outOfRange);
  });
});

describe('tileWidthAt', () => {
  it.each([
    [0, 0, 0, 0],
    [0, 0, 255, 255],
    [0, 0, 257, 256],
    [0, 1, 256, 0],
    [0, 1, 257, 1],
    [1, 0, 255, 0],
    [1, 0, 65_535, 255],
    [1, 0, 65_536, 256],
    [2, 0, 65_536, 1],
    [63, 0, Number.MAX_SAFE_INTEGER, 0],
  ])('level %i, index %i, size %i: %i', (level, index, size, width) => {
    expect(tileWidthAt({ level, index }, size)).toBe(width);
  });
});

describe('nodeInTile', () => {
  const tree = countingTree(256);
  const tile = tree.tile({ level: 0, index: 0 }, 256);

  it('gives every node of the tile', () => {
    for (let height = 0; height <= 8; height++) {
      for (let offset = 0; offset < 256 / 2 ** height; offset++) {
        const begin = offset * 2 ** height;
        expect(toHex(nodeInTile(tile, height, offset))).toBe(toHex(tree.hash(begin, begin + 2 ** height)));
      }
    }
  });

  it('refuses a node that reaches beyond a partial tile', () => {
    expect(toHex(nodeInTile(tile.subarray(0, 96), 1, 0))).toBe(toHex(tree.hash(0, 2)));
    expect(() => nodeInTile(tile.subarray(0, 96), 1, 1)).toThrow(outOfRange);
    expect(() => nodeInTile(tile.subarray(0, 95), 0, 2)).toThrow(outOfRange);
  });
});
