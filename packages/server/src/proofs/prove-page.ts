import { type Node, type NodeReader, nodesFromTiles, proveInclusion, type TileId } from '@tallystick/log';
import { ServerError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import { readerOf } from '../trail/trail.ts';
import { readHead, readTile } from './tree-reader.ts';

/**
 * Inclusion proofs of many records of one tree. Neighbours share all but their lowest nodes, so each tile is read and each
 * node computed once.
 *
 * @param tree tenant, epoch and size of the tree that the proofs lead to
 */
export async function provePage(
  database: Database,
  tree: { readonly tenantId: string; readonly epoch: number; readonly size: number },
  records: readonly { readonly sequence_number: number }[],
): Promise<Uint8Array[][]> {
  return await database.transaction(readerOf(tree.tenantId), async (session) => {
    const head = await readHead(session, tree.tenantId);
    if (head === undefined) throw new ServerError('NOT_FOUND', 'the chain is gone');
    const tile = once(
      (id: TileId) => `${id.level}/${id.index}`,
      (id) => readTile(session, { ...head, epoch: tree.epoch }, id, tree.size),
    );
    const fromTiles = nodesFromTiles(tree.size, (ids) => Promise.all(ids.map(tile)));
    const node = once(
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

function once<K, V>(name: (key: K) => string, make: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const made = new Map<string, Promise<V>>();
  return (key) => {
    let value = made.get(name(key));
    if (value === undefined) {
      value = make(key);
      made.set(name(key), value);
    }
    return value;
  };
}
