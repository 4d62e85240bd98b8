import {
  LogError,
  leafHash,
  proveConsistency,
  proveInclusion,
  type TileId,
  tileWidthAt,
  verifyInclusion,
} from '@tallystick/log';
import { ServerError } from '../errors.ts';
import { type Database, type Session, writer } from '../store/database.ts';
import { requireTree } from './checkpointer.ts';
import { type LogId, nodeReader, readTile, type TenantTree } from './tree-reader.ts';

/** Proofs and tiles of tenants' logs, from the stored tiles. */
export class LogProofs {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * The inclusion proof of a record in the tree of `size` leaves.
   *
   * @throws {LogError} `TREE_RANGE`; {ServerError} `NOT_FOUND`, or `PARAMETER_INVALID` for a tree larger than the log
   */
  async inclusionProof(tenantId: string, index: number, size: number): Promise<Uint8Array[]> {
    return await this.#withTree(tenantId, size, (session, tree) =>
      proveInclusion(index, size, nodeReader(session, tree, size)),
    );
  }

  /** The consistency proof between the trees of `from` and `to` leaves. Errors as {@link inclusionProof}. */
  async consistencyProof(tenantId: string, from: number, to: number): Promise<Uint8Array[]> {
    return await this.#withTree(tenantId, to, (session, tree) =>
      proveConsistency(from, to, nodeReader(session, tree, to)),
    );
  }

  /**
   * The inclusion proof of a record in an abandoned epoch. It uses the newest checkpoint that the stored records still
   * match: the records of later checkpoints are lost.
   *
   * @returns `undefined` where the stored records match no checkpoint
   */
  async earlierProof(
    log: LogId,
    index: number,
    recordHash: Uint8Array,
  ): Promise<{ readonly note: string; readonly inclusion: readonly Uint8Array[] } | undefined> {
    return await this.#database.transaction(writer, async (session) => {
      const rows = await session.query<{ size: number; root: Uint8Array; note: string }>(
        `select c.size, c.root, c.note
           from audit_checkpoints c
           join audit_chain_ranges g on g.tenant_id = c.tenant_id and g.epoch = c.epoch and c.size <= g.last_sequence + 1
          where c.tenant_id = $1 and c.epoch = $2 and c.size > $3 order by c.size desc limit 100`,
        [log.tenantId, log.epoch, index],
      );
      for (const { size, root, note } of rows) {
        try {
          const inclusion = await proveInclusion(index, size, nodeReader(session, log, size));
          verifyInclusion(index, size, leafHash(recordHash), inclusion, new Uint8Array(root));
          return { note, inclusion };
        } catch (error) {
          if (!(error instanceof LogError)) throw error;
        }
      }
      return undefined;
    });
  }

  /**
   * The first `width` hashes of a tile in the current tree.
   *
   * @throws {ServerError} `NOT_FOUND` where the tile has fewer hashes
   */
  async tile(tenantId: string, tile: TileId, width: number): Promise<Uint8Array> {
    return await this.#database.transaction(writer, async (session) => {
      const tree = await requireTree(session, tenantId);
      if (tileWidthAt(tile, tree.frontier.size) < width) throw new ServerError('NOT_FOUND', 'no such tile');
      return (await readTile(session, tree, tile, tree.frontier.size)).subarray(0, width * 32);
    });
  }

  async #withTree<T>(
    tenantId: string,
    size: number,
    work: (session: Session, tree: TenantTree) => Promise<T>,
  ): Promise<T> {
    return await this.#database.transaction(writer, async (session) => {
      const tree = await requireTree(session, tenantId);
      if (size > tree.frontier.size) {
        throw new ServerError('PARAMETER_INVALID', `the log has ${tree.frontier.size} records, not ${size}`);
      }
      return await work(session, tree);
    });
  }
}
