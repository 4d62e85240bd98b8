import {
  createVerifier,
  equalBytes,
  type KeyRotation,
  LogError,
  openRotation,
  parseOrigin,
  toHex,
  type Verifier,
  verifyLastUnderKey,
} from '@tallystick/log';

/**
 * The rotations that are what they claim to be: of this log, signed by the old and the new key, with a proof of the last checkpoint.
 * The verification reports what is wrong with the others.
 */
export async function validRotations(
  origin: string,
  rotations: readonly KeyRotation[],
): Promise<readonly KeyRotation[]> {
  const { logName } = parseOrigin(origin);
  const valid = new Map<string, KeyRotation>();
  for (const rotation of rotations) {
    if (rotation.logName !== logName) continue;
    try {
      await openRotation(rotation);
      verifyLastUnderKey(rotation, origin);
      // Of two copies, the one that names a checkpoint says more.
      if (valid.get(rotation.statement)?.last === undefined) valid.set(rotation.statement, rotation);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
    }
  }
  return [...valid.values()];
}

/**
 * The rotations that lead from one key to another, in their order.
 *
 * @param rotations valid ones
 * @returns `undefined` where none lead there, or where a key on the way has two successors
 */
export function pathBetween(
  from: Uint8Array,
  to: Uint8Array,
  rotations: readonly KeyRotation[],
): readonly KeyRotation[] | undefined {
  const path: KeyRotation[] = [];
  let key = from;
  while (!equalBytes(key, to)) {
    const [next, ...others] = rotations.filter(({ oldKey }) => equalBytes(oldKey.publicKey, key));
    const isForked = others.some(({ newKey }) => !equalBytes(newKey.publicKey, next!.newKey.publicKey));
    if (next === undefined || isForked || path.length >= rotations.length) return undefined;
    path.push(next);
    key = next.newKey.publicKey;
  }
  return path;
}

/**
 * The keys that were rotated out before a key, as verifiers of a log. A key with two successors is among them if one of the two
 * leads to the key: the verification reports the other one, and saves both statements as evidence.
 */
export function keysBefore(
  origin: string,
  key: Uint8Array,
  rotations: readonly KeyRotation[],
): readonly Verifier[] {
  const before = new Map<string, Verifier>();
  // A map's iteration also visits what is added meanwhile.
  const reached = new Map([[toHex(key), key]]);
  for (const successor of reached.values()) {
    for (const { oldKey, newKey } of rotations) {
      const id = toHex(oldKey.publicKey);
      if (reached.has(id) || !equalBytes(newKey.publicKey, successor)) continue;
      reached.set(id, oldKey.publicKey);
      before.set(id, createVerifier(origin, oldKey.publicKey));
    }
  }
  return [...before.values()];
}
