import { type Frontier, frontierNodes, LogError, proveConsistency } from '@tallystick/log';
import type { ConsistencyProver } from '@tallystick/verify';
import type { Database } from '../../store/database.ts';
import { readerOf } from '../../trail/trail.ts';
import { nodeReader, readTree } from '../tree-reader.ts';

/**
 * The tree of a tenant's first `size` records, from the stored tiles. The tiles need no trust: together with the checked
 * records they must give the signed root.
 *
 * @returns `undefined` where the store no longer has the tiles
 */
export async function readFrontier(
  database: Database,
  tenantId: string,
  size: number,
): Promise<Frontier | undefined> {
  if (size === 0) return { size, roots: [] };
  try {
    return await database.transaction(readerOf(tenantId), async (session) => {
      const tree = await readTree(session, tenantId);
      if (tree === undefined) return undefined;
      return { size, roots: await nodeReader(session, tree, size)(frontierNodes(size)) };
    });
  } catch (error) {
    // A tile is missing or too short.
    if (error instanceof LogError) return undefined;
    throw error;
  }
}

/** Proves from the stored tiles that a later tree extends an earlier one. */
export function consistencyProver(database: Database, tenantId: string): ConsistencyProver {
  return async (from, to) =>
    await database.transaction(readerOf(tenantId), async (session) => {
      const tree = await readTree(session, tenantId);
      if (tree === undefined || tree.frontier.size < to) return undefined;
      return await proveConsistency(from, to, nodeReader(session, tree, to));
    });
}
