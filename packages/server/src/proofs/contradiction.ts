import { LogError, proveConsistency, verifyConsistency } from '@tallystick/log';
import type { Session } from '../store/database.ts';
import type { LastSigned } from './signer-store.ts';
import { nodeReader, rootOf, type TenantTree } from './tree-reader.ts';

/** Why the stored tree contradicts a signed checkpoint of its epoch, or `undefined` where it equals or extends it. */
export async function contradictionOf(
  session: Session,
  tree: TenantTree,
  signed: LastSigned,
): Promise<string | undefined> {
  const { size } = tree.frontier;
  if (size < signed.size) return missingRecords(signed, size);
  try {
    // The proof leads from tiles and records to the root of the stored frontier, so it also finds an altered frontier.
    const proof = await proveConsistency(signed.size, size, nodeReader(session, tree, size));
    verifyConsistency(signed.size, size, proof, signed.root, rootOf(tree));
    return undefined;
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return `the first ${signed.size} records are not those that were signed`;
  }
}

export function missingRecords(signed: LastSigned, stored: number | 'none'): string {
  return `${signed.size} records were signed, the store has ${stored}`;
}
