import { equalBytes, tileWidth } from '@tallystick/log';
import type { FindingSink } from '../report.ts';
import { type Query, readTiles } from './read-store.ts';

/** Compares the stored tiles with those that the records' hashes give. */
export class TileCheck {
  /** Root of each full tile that the records give, by `<level>/<index>`. */
  readonly #expected = new Map<string, Uint8Array>();

  /** Adds a tile that the record at `position` completes. */
  expect(level: number, root: Uint8Array, position: number): void {
    this.#expected.set(`${level}/${Math.floor(position / tileWidth ** (level + 1))}`, root);
  }

  /** Reads the stored tiles. Each one that is wrong, missing or superfluous is a finding. */
  async compare(query: Query, tenantId: string, epoch: number, findings: FindingSink): Promise<void> {
    const missing = new Map(this.#expected);
    for await (const tile of readTiles(query, tenantId, epoch)) {
      const key = `${tile.level}/${tile.index}`;
      const root = missing.get(key);
      missing.delete(key);
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
