import {
  concatBytes,
  decodeFrontier,
  type Frontier,
  frontierRoot,
  leafHash,
  type NodeReader,
  nodesFromTiles,
  type TileId,
  tileWidth,
  tileWidthAt,
} from '@tallystick/log';
import type { Session } from '../store/database.ts';

/** One log: a tenant's chain of one epoch. */
export interface LogId {
  readonly tenantId: string;
  readonly epoch: number;
}

/** The Merkle tree of a tenant's current epoch, as a transaction sees it. */
export interface TenantTree extends LogId {
  readonly frontier: Frontier;
}

/**
 * The tree of a tenant's current epoch, or `undefined` for a tenant without a chain.
 *
 * @throws {LogError} `TREE_RANGE` where the stored frontier is damaged
 */
export async function readTree(session: Session, tenantId: string): Promise<TenantTree | undefined> {
  const [row] = await session.query<{ epoch: number; last_sequence: number; frontier: Uint8Array }>(
    'select epoch, last_sequence, frontier from audit_chain_state where tenant_id = $1',
    [tenantId],
  );
  if (row === undefined || row.last_sequence < 0) return undefined;
  return { tenantId, epoch: row.epoch, frontier: decodeFrontier(row.last_sequence + 1, row.frontier) };
}

/** Merkle tree hash of the current tree. */
export function rootOf(tree: TenantTree): Uint8Array {
  return frontierRoot(tree.frontier);
}

/** Reads nodes of the tree of `size` leaves: full tiles as stored, the right edge from the rows below it. */
export function nodeReader(session: Session, log: LogId, size: number): NodeReader {
  return nodesFromTiles(size, async (tiles) => {
    const hashes: Uint8Array[] = [];
    // In sequence: a transaction has one connection, which runs one query at a time.
    for (const tile of tiles) hashes.push(await readTile(session, log, tile, size));
    return hashes;
  });
}

/**
 * The hashes of one tile in the tree of `size` leaves, 32 bytes each.
 *
 * A full tile is stored. A partial tile is computed from at most 255 records (level 0), or from the roots of at most 255
 * tiles one level down.
 */
export async function readTile(
  session: Session,
  log: LogId,
  tile: TileId,
  size: number,
): Promise<Uint8Array> {
  const width = tileWidthAt(tile, size);
  if (width === 0) return new Uint8Array(0);
  // A partial tile is never stored. A row with its index was planted, and is not read.
  if (width === tileWidth) {
    const [stored] = await session.query<{ hashes: Uint8Array }>(
      'select hashes from audit_tiles where tenant_id = $1 and epoch = $2 and level = $3 and index = $4',
      [log.tenantId, log.epoch, tile.level, tile.index],
    );
    if (stored !== undefined) return new Uint8Array(stored.hashes).subarray(0, width * 32);
  }
  const first = tile.index * tileWidth;
  if (tile.level === 0) {
    const rows = await session.query<{ record_hash: Uint8Array }>(
      `select record_hash from audit_records
        where tenant_id = $1 and epoch = $2 and sequence_number >= $3 and sequence_number < $4
        order by sequence_number`,
      [log.tenantId, log.epoch, first, first + width],
    );
    return concatBytes(...rows.map((row) => leafHash(row.record_hash)));
  }
  const rows = await session.query<{ root: Uint8Array }>(
    `select root from audit_tiles
      where tenant_id = $1 and epoch = $2 and level = $3 and index >= $4 and index < $5
      order by index`,
    [log.tenantId, log.epoch, tile.level - 1, first, first + width],
  );
  return concatBytes(...rows.map((row) => new Uint8Array(row.root)));
}
