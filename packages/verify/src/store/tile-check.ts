import { equalBytes, tileWidth } from '@tallystick/log';
import type { FindingSink } from '../report.ts';
import { type Query, readTiles, type TilesOf } from './read-store.ts';

/** Compares the stored tiles with those that the records' hashes give. */
export class TileCheck {
  /** Root of each full tile that the records give, by `<level>/<index>`. */
  readonly #expected = new Map<string, Uint8Array>();

  /** Adds a tile that the record at `position` completes. */
  expect(level: number, root: Uint8Array, position: number): void {
    this.expectAt(level, Math.floor(position / tileWidth ** (level + 1)), root);
  }

  expectAt(level: number, index: number, root: Uint8Array): void {
    this.#expected.set(`${level}/${index}`, root);
  }

  /**
   * Reads the stored tiles. Each one that is wrong, missing or superfluous is a finding.
   *
   * @param mayBeStored whether a tile that the records do not give may be stored all the same
   */
  async compare(
    query: Query,
    log: TilesOf,
    findings: FindingSink,
    mayBeStored: (level: number, index: number) => boolean = () => false,
  ): Promise<void> {
    const missing = new Map(this.#expected);
    for await (const tile of readTiles(query, log)) {
      const key = `${tile.level}/${tile.index}`;
      const root = missing.get(key);
      missing.delete(key);
      if (root === undefined && mayBeStored(tile.level, tile.index)) continue;
      if (root !== undefined && equalBytes(root, tile.root) && equalBytes(root, tile.rootOfHashes)) continue;
      findings.add({
        code: 'TILE_MISMATCH',
        sequence_number: tile.index * tileWidth ** (tile.level + 1),
        found: `tile ${key}`,
      });
    }
    for (const key of missing.keys()) {
      const [level, index] = key.split('/').map(Number) as [number, number];
      findings.add({
        code: 'TILE_MISMATCH',
        sequence_number: index * tileWidth ** (level + 1),
        expected: `tile ${key}`,
      });
    }
  }
}
