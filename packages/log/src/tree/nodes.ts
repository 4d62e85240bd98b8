import { LogError } from '../errors.ts';
import { nodeHash } from './hash.ts';
import { nodeInTile, type TileId, tileHeight, tileWidth, tileWidthAt } from './tile.ts';

/**
 * A perfect subtree of 2^height leaves, the `index`-th from the left. Every proof consists of the hashes of such nodes, some of
 * them combined at the right edge.
 */
export interface Node {
  readonly height: number;
  readonly index: number;
}

/** Gives the hashes of perfect subtrees that lie completely inside the tree. */
export type NodeReader = (nodes: readonly Node[]) => Promise<readonly Uint8Array[]>;

/** Gives the concatenated hashes of each tile: `tileWidthAt(tile, size)` of them. */
export type TileReader = (tiles: readonly TileId[]) => Promise<readonly Uint8Array[]>;

/** Computes nodes from tiles. Each tile is read once, and a proof needs O(log n) tiles. */
export function nodesFromTiles(size: number, readTiles: TileReader): NodeReader {
  return async (nodes) => {
    const wanted = new Map<string, TileId>();
    const places = nodes.map((node) => {
      const level = Math.floor(node.height / tileHeight);
      const height = node.height % tileHeight;
      const perTile = tileWidth / 2 ** height;
      const tile = { level, index: Math.floor(node.index / perTile) };
      const key = `${tile.level}/${tile.index}`;
      wanted.set(key, tile);
      return { key, height, offset: node.index % perTile };
    });
    const tiles = [...wanted.values()];
    const hashes = await readTiles(tiles);
    const byKey = new Map<string, Uint8Array>();
    for (const [at, key] of [...wanted.keys()].entries()) {
      const bytes = hashes[at];
      if (bytes === undefined || bytes.length < tileWidthAt(tiles[at]!, size) * 32) {
        throw new LogError('TREE_RANGE', `tile ${key} is missing or short`);
      }
      byKey.set(key, bytes);
    }
    return places.map((place) => nodeInTile(byKey.get(place.key)!, place.height, place.offset));
  };
}

/**
 * The perfect subtrees that make up the leaves `[begin, end)`, left to right. `begin` must be a multiple of the largest
 * power of two that is ≤ `end − begin`, which holds for every range of RFC 6962.
 */
export function decompose(begin: number, end: number): Node[] {
  const nodes: Node[] = [];
  let at = begin;
  while (at < end) {
    let height = 0;
    while (at % 2 ** (height + 1) === 0 && at + 2 ** (height + 1) <= end) height++;
    nodes.push({ height, index: at / 2 ** height });
    at += 2 ** height;
  }
  return nodes;
}

/** The Merkle tree hash of a range, combined from the right out of the hashes of its {@link decompose}d subtrees. */
export function foldRight(hashes: readonly Uint8Array[]): Uint8Array {
  let root = hashes[hashes.length - 1];
  if (root === undefined) throw new LogError('TREE_RANGE', 'an empty range has no nodes');
  for (let at = hashes.length - 2; at >= 0; at--) root = nodeHash(hashes[at]!, root);
  return root;
}
