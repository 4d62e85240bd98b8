import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  type Checkpoint,
  createVerifier,
  emptyRoot,
  formatNote,
  formatRotation,
  type NoteSignature,
  nodeHash,
  proveInclusion,
  type RotationEvidence,
  type RotationStatement,
  rotationLeaf,
  type Verifier,
} from '@tallystick/log';
import type { SignerStore } from './signer-store.ts';

/** DER of a PKCS #8 private key (RFC 8410 section 7) up to the 32-byte seed. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The tree of the checkpoints that one rotation names. */
interface RotatedTree {
  readonly heads: readonly Checkpoint[];
  /** Hashes of the perfect subtrees, by height. */
  readonly levels: readonly (readonly Uint8Array[])[];
}

/**
 * The rotations of a log's key. Each is a statement that the old and the new key signed, and that names the last checkpoint of every
 * log under the old key. So an outsider who trusts the old key can check who came after it, and where the old key's word ends.
 */
export class KeyRotations {
  readonly #store: SignerStore;
  readonly #logName: string;
  /** Trees by rotation: rotations never change. Owned by this object. */
  readonly #trees = new Map<number, RotatedTree>();

  constructor(store: SignerStore, logName: string) {
    this.#store = store;
    this.#logName = logName;
  }

  /**
   * Makes a new key the current one. Durable when it returns; a crash before leaves the old key.
   *
   * @param reason for people
   * @param by the principal who asked for it
   */
  async rotate({
    reason,
    by,
    now,
  }: {
    readonly reason: string;
    readonly by: string;
    readonly now: number;
  }): Promise<RotationStatement & { readonly statement: string }> {
    let rotation: (RotationStatement & { readonly statement: string }) | undefined;
    const seed = randomBytes(32);
    await this.#store.patiently(() =>
      // Both keys sign inside the transaction, so that no replica records a checkpoint that the statement does not name.
      this.#store.rotateKey((oldSeed, heads) => {
        const [before, next] = [keyOf(oldSeed), keyOf(seed)];
        const [oldKey, newKey] = [before, next].map((key) => this.#verifier(key)) as [Verifier, Verifier];
        const said: RotationStatement = {
          logName: this.#logName,
          oldKey,
          newKey,
          rotatedAt: new Date(now).toISOString(),
          logs: heads.length,
          root: rootOf(treeOf(heads)),
        };
        const text = formatRotation(said);
        const signatures = [signatureOf(text, before, oldKey), signatureOf(text, next, newKey)];
        rotation = { ...said, statement: formatNote({ text, signatures }) };
        const { statement, rotatedAt: at } = rotation;
        return { seed, publicKey: newKey.publicKey, at, statement, reason, by };
      }),
    );
    return rotation!;
  }

  #verifier(key: KeyObject): Verifier {
    const { x } = createPublicKey(key).export({ format: 'jwk' });
    return createVerifier(this.#logName, new Uint8Array(Buffer.from(x!, 'base64url')));
  }

  /** What the log shows of its rotations to the verifiers of one log, oldest first. */
  async evidenceFor(origin: string): Promise<RotationEvidence[]> {
    const evidence: RotationEvidence[] = [];
    for (const { id, statement } of await this.#store.patiently(() => this.#store.rotations())) {
      const { heads, levels } = await this.#tree(id);
      const index = heads.findIndex((head) => head.origin === origin);
      if (index < 0) {
        evidence.push({ statement });
        continue;
      }
      const hashes = await proveInclusion(index, heads.length, async (nodes) =>
        nodes.map((node) => levels[node.height]![node.index]!),
      );
      const { size, root } = heads[index]!;
      evidence.push({ statement, last: { size, root, index, hashes } });
    }
    return evidence;
  }

  async #tree(rotation: number): Promise<RotatedTree> {
    const known = this.#trees.get(rotation);
    if (known !== undefined) return known;
    const heads = await this.#store.patiently(() => this.#store.rotatedHeads(rotation));
    const tree = { heads, levels: treeOf(heads) };
    this.#trees.set(rotation, tree);
    return tree;
  }
}

function keyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
}

function signatureOf(text: string, key: KeyObject, { name, keyId }: Verifier): NoteSignature {
  return { name, keyId, signature: new Uint8Array(sign(null, Buffer.from(text), key)) };
}

/** The hashes of all perfect subtrees over checkpoints. */
function treeOf(heads: readonly Checkpoint[]): Uint8Array[][] {
  const levels = [heads.map(rotationLeaf)];
  for (;;) {
    const below = levels.at(-1)!;
    if (below.length < 2) return levels;
    const level: Uint8Array[] = [];
    for (let at = 0; at + 1 < below.length; at += 2) level.push(nodeHash(below[at]!, below[at + 1]!));
    levels.push(level);
  }
}

/** Each level has at most one subtree that no higher one contains. They are folded from the right. */
function rootOf(levels: readonly (readonly Uint8Array[])[]): Uint8Array {
  let root: Uint8Array | undefined;
  for (const level of levels) {
    if (level.length % 2 === 0) continue;
    root = root === undefined ? level.at(-1)! : nodeHash(level.at(-1)!, root);
  }
  return root ?? emptyRoot;
}
