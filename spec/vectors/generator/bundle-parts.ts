import { gzipSync } from 'node:zlib';
import type { SealedRecord } from '@tallystick/log';
import { linesOf, type Parts, recordLine, seal } from './bundle-writer.ts';
import { base64, chain, checkpoint, event, origin } from './fixture.ts';
import { consistency, leavesOf, root } from './naive-tree.ts';

/** The parts of most bundles: a chain, its checkpoints, and a rewritten chain. */

export const records = chain(5);
export const leaves = leavesOf(records);
export const head5 = await checkpoint(5, root(leaves));
export const head3 = await checkpoint(3, root(leaves.slice(0, 3)));
export const step = { consistency: { from: 3, to: 5, hashes: consistency(3, leaves).map(base64) } };
export const plain: Parts = { records, checkpoints: [head5] };
export const some: Parts = {
  ...plain,
  records: [records[1]!, records[3]!, records[4]!],
  complete: false,
  leaves,
};
export const pair: Parts = {
  records: records.slice(0, 2),
  checkpoints: [await checkpoint(2, root(leaves.slice(0, 2)))],
};
export const pairLines = linesOf(pair);
export const rewritten = chain(5, { 2: { event: event(2, { actor_id: 'mallory' }) } });
export const rewrittenPair = chain(2, { 1: { event: event(1, { actor_id: 'mallory' }) } });
export const head1 = await checkpoint(1, leaves[0]!);
export const zero = '0'.repeat(64);

/** A bundle of a chain with a fault, with a checkpoint that the log's own key has signed. */
export async function signedAll(list: readonly SealedRecord[], own = origin): Promise<Parts> {
  return {
    records: list,
    checkpoints: [await checkpoint(list.length, root(leavesOf(list)), { origin: own })],
    origin: own,
  };
}

export const edit = (at: number, from: string, to: string): SealedRecord[] => {
  const text = records[at]!.text.replace(from, to);
  if (text === records[at]!.text) throw new Error(from);
  return records.with(at, { ...records[at]!, text });
};

/** A gzip member that is the same with every version of zlib. */
export function stored(bytes: Uint8Array | string): Uint8Array {
  const member = new Uint8Array(gzipSync(bytes, { level: 0 }));
  // The byte that names the operating system.
  member[9] = 255;
  return member;
}
export const zipped = stored(seal(pairLines));

export const someLines = linesOf(some);
/** Index of the line with record 3. The next line is its proof. */
export const line3 = someLines.indexOf(recordLine(records[3]!.text));
