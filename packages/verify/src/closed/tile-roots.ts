import { FrontierBuilder, leafHash, tileWidth } from '@tallystick/log';

/** A tile that is being filled, from its first hash on. */
interface OpenTile {
  readonly index: number;
  readonly builder: FrontierBuilder;
}

/** Receives the root of each full tile that records give. */
export type OnTile = (level: number, index: number, root: Uint8Array) => void;

/**
 * The full tiles that records give, where the records may have gaps: a tile is full if none of its records is missing.
 * Records come in ascending order of their positions.
 */
export class TileRoots {
  readonly #onTile: OnTile;
  /** By level. A tile whose first hash is missing is never opened. */
  readonly #open: OpenTile[] = [];

  constructor(onTile: OnTile) {
    this.#onTile = onTile;
  }

  add(position: number, recordHash: Uint8Array): void {
    this.#addTo(0, position, leafHash(recordHash));
  }

  #addTo(level: number, position: number, hash: Uint8Array): void {
    const [index, at] = [Math.floor(position / tileWidth), position % tileWidth];
    if (at === 0) this.#open[level] = { index, builder: new FrontierBuilder() };
    const tile = this.#open[level];
    if (tile?.index !== index || tile.builder.size !== at) return;
    tile.builder.append(hash);
    if (tile.builder.size < tileWidth) return;
    const root = tile.builder.root();
    this.#onTile(level, index, root);
    this.#addTo(level + 1, index, root);
  }
}
