import { sha256 } from '#sha256';
import { LogError } from '../errors.ts';

/** Hashes of RFC 6962 section 2.1. Different prefixes (0x00 and 0x01) make sure that no leaf has the hash of an inner node. */

const leafInput = new Uint8Array(33);
const nodeInput = new Uint8Array(65);
nodeInput[0] = 1;

/** SHA-256(0x00 ‖ record_hash): the leaf of a record. The leaf's data is the record's 32-byte hash. */
export function leafHash(recordHash: Uint8Array): Uint8Array {
  if (recordHash.length !== 32) throw new LogError('TREE_RANGE', 'a record hash must have 32 bytes');
  leafInput.set(recordHash, 1);
  return sha256(leafInput);
}

/** SHA-256(0x01 ‖ left ‖ right): an inner node. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  // The buffer is shared: a shorter input would leave bytes of an earlier call in it.
  if (left.length !== 32 || right.length !== 32)
    throw new LogError('TREE_RANGE', 'a tree hash must have 32 bytes');
  nodeInput.set(left, 1);
  nodeInput.set(right, 33);
  return sha256(nodeInput);
}

/** The root of the empty tree: SHA-256 of nothing. */
export const emptyRoot: Uint8Array = sha256(new Uint8Array(0));
