import { type Checkpoint, equalBytes, LogError, rootsFromConsistency } from '@tallystick/log';

/**
 * What two checkpoints and a consistency proof say about each other.
 *
 * - `one_log`: both can belong to one log.
 * - `contradiction`: no log has both. Two signed notes and this proof show that to everyone who trusts the key.
 * - `proof_invalid`: the proof does not fit the newer checkpoint. That proves nothing, but an honest log can give a proof that fits.
 * - `no_proof`: the trees have different sizes, and there is no proof.
 * - `other_log`: they are of different logs, tenants or epochs.
 */
export type CheckpointRelation = 'one_log' | 'contradiction' | 'proof_invalid' | 'no_proof' | 'other_log';

/**
 * Compares two checkpoints. It checks no signatures.
 *
 * @param proof hashes of the consistency proof from the smaller to the larger tree; undefined where there is none
 */
export function compareCheckpoints(
  one: Checkpoint,
  other: Checkpoint,
  proof: readonly Uint8Array[] | undefined,
): CheckpointRelation {
  if (one.origin !== other.origin) return 'other_log';
  const [older, newer] = one.size <= other.size ? [one, other] : [other, one];
  if (older.size === newer.size) return equalBytes(older.root, newer.root) ? 'one_log' : 'contradiction';
  // Every log extends the empty one.
  if (older.size === 0) return 'one_log';
  if (proof === undefined) return 'no_proof';
  try {
    const { first, second } = rootsFromConsistency(older.size, newer.size, proof, older.root);
    if (!equalBytes(second, newer.root)) return 'proof_invalid';
    // The proof is right about the newer tree, so its signature covers this root of its first leaves.
    return equalBytes(first, older.root) ? 'one_log' : 'contradiction';
  } catch (error) {
    if (error instanceof LogError && error.code === 'PROOF_INVALID') return 'proof_invalid';
    throw error;
  }
}
