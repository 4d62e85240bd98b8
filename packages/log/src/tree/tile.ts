import { LogError } from '../errors.ts';
import { nodeHash } from './hash.ts';

/**
 * Width of a tile (C2SP tlog-tiles). A tile of level L and index N contains the hashes of 256 consecutive subtrees of 256^L
 * leaves each. Full tiles never change.
 */
export const tileWidth = 256;
/** Levels of the tree that a tile spans; 2^8 hashes. */
export const tileHeight = 8;

/** Level and index of a tile, both from 0. */
export interface TileId {
  readonly level: number;
  readonly index: number;
}

/** How many hashes the tile has in a tree of `size` leaves: 0 (absent) to 256 (full). */
export function tileWidthAt(tile: TileId, size: number): number {
  const nodes = Math.floor(size / tileWidth ** tile.level);
  return Math.max(0, Math.min(tileWidth, nodes - tile.index * tileWidth));
}

/**
 * The path of a tile below `tile/`, for example `0/x001/234` or, partial, `0/x001/234.p/17`.
 */
export function tilePath(tile: TileId, width: number = tileWidth): string {
  const digits = String(tile.index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g)!;
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `${tile.level}/${path}${width < tileWidth ? `.p/${width}` : ''}`;
}

/**
 * Reads a tile path. The width is 256 where the path has no width.
 *
 * @throws {LogError} `TREE_RANGE` for a malformed or non-canonical path
 */
export function parseTilePath(path: string): TileId & { readonly width: number } {
  const match = /^(\d{1,2})\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
  if (match !== null) {
    const tile = { level: Number(match[1]), index: Number(match[2]!.replaceAll(/[x/]/g, '')) };
    const width = match[3] === undefined ? tileWidth : Number(match[3]);
    if (tile.level <= 63 && tilePath(tile, width) === path) return { ...tile, width };
  }
  throw new LogError('TREE_RANGE', 'malformed tile path');
}

/**
 * The hash of a node inside a tile.
 *
 * @param hashes the tile's hashes, 32 bytes each
 * @param height of the node above the tile's own row, 0 to 8
 * @param offset of the node in its row within the tile
 */
export function nodeInTile(hashes: Uint8Array, height: number, offset: number): Uint8Array {
  const first = offset * 2 ** height;
  const count = 2 ** height;
  if ((first + count) * 32 > hashes.length) {
    throw new LogError('TREE_RANGE', 'the node lies outside the tile');
  }
  let row: Uint8Array[] = [];
  for (let at = first; at < first + count; at++) row.push(hashes.subarray(at * 32, at * 32 + 32));
  while (row.length > 1) {
    const next: Uint8Array[] = [];
    for (let at = 0; at < row.length; at += 2) next.push(nodeHash(row[at]!, row[at + 1]!));
    row = next;
  }
  return row[0]!;
}
