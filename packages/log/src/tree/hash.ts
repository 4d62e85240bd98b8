import { sha256 } from '#sha256';
import { LogError } from '../errors.ts';

/** Hashes of RFC 6962 section 2.1: the prefixes keep a leaf from ever passing as a node. */

const leafInput = new Uint8Array(33);
const nodeInput = new Uint8Array(65);
nodeInput[0] = 1;

/** SHA-256(0x00 ‖ record_hash): the leaf of a record. The leaf's data is the record's 32-byte hash. */
export function leafHash(recordHash: Uint8Array): Uint8Array {
  if (recordHash.length !== 32) throw new LogError('TREE_RANGE', 'a record hash has 32 bytes');
  leafInput.set(recordHash, 1);
  return sha256(leafInput);
}

/** SHA-256(0x01 ‖ left ‖ right): an inner node. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  // A shorter input would leave bytes of the call before in the shared buffer.
  if (left.length !== 32 || right.length !== 32) throw new LogError('TREE_RANGE', 'a tree hash has 32 bytes');
  nodeInput.set(left, 1);
  nodeInput.set(right, 33);
  return sha256(nodeInput);
}

/** The root of the empty tree: SHA-256 of nothing. */
export const emptyRoot: Uint8Array = sha256(new Uint8Array(0));
