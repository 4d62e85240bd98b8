import { type Node, type NodeReader, nodesFromTiles, proveInclusion, type TileId } from '@tallystick/log';
import { ServerError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import { readerOf } from '../trail/trail.ts';
import { type LogId, readTile, readTree } from './tree-reader.ts';

/**
 * Inclusion proofs of many records in one tree. Proofs of neighbouring records share nearly all nodes, so each tile is read
 * once and each node is computed once.
 *
 * @param tree tenant, epoch and size of the tree
 */
export async function provePage(
  database: Database,
  tree: LogId & { readonly size: number },
  records: readonly { readonly sequence_number: number }[],
): Promise<Uint8Array[][]> {
  return await database.transaction(readerOf(tree.tenantId), async (session) => {
    if ((await readTree(session, tree.tenantId)) === undefined) {
      throw new ServerError('NOT_FOUND', 'the chain no longer exists');
    }
    const tile = memoize(
      (id: TileId) => `${id.level}/${id.index}`,
      (id) => readTile(session, tree, id, tree.size),
    );
    const fromTiles = nodesFromTiles(tree.size, (ids) => Promise.all(ids.map(tile)));
    const node = memoize(
      ({ height, index }: Node) => `${height}/${index}`,
      async (wanted) => (await fromTiles([wanted]))[0]!,
    );
    const nodes: NodeReader = (wanted) => Promise.all(wanted.map(node));
    const proofs: Uint8Array[][] = [];
    for (const record of records) {
      proofs.push(await proveInclusion(record.sequence_number, tree.size, nodes));
    }
    return proofs;
  });
}

function memoize<K, V>(keyOf: (key: K) => string, make: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const made = new Map<string, Promise<V>>();
  return (key) => {
    let value = made.get(keyOf(key));
    if (value === undefined) {
      value = make(key);
      made.set(keyOf(key), value);
    }
    return value;
  };
}
