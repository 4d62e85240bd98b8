import { fromBase64, parseDecimal, toBase64 } from './bytes.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { LogError } from './errors.ts';
import { openNote, type Verifier } from './note.ts';
import { leafHash } from './tree/hash.ts';
import { verifyInclusion } from './tree/proof.ts';

/** Offline proofs (C2SP tlog-proof): a leaf's index, its inclusion proof and the signed checkpoint, in one text. */
export interface TlogProof {
  /** Opaque; in our receipts, the record's bytes. It is proven by the leaf, never trusted by itself. */
  readonly extra?: Uint8Array;
  readonly index: number;
  readonly inclusion: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: string;
}

const header = 'c2sp.org/tlog-proof@v1';

/** Text of a proof, as C2SP tlog-proof has it. */
export function formatTlogProof(proof: TlogProof): string {
  const extra = proof.extra === undefined ? '' : `extra ${toBase64(proof.extra)}\n`;
  const hashes = proof.inclusion.map((hash) => `${toBase64(hash)}\n`).join('');
  return `${header}\n${extra}index ${proof.index}\n${hashes}\n${proof.checkpoint}`;
}

/**
 * @throws {LogError} `PROOF_MALFORMED`
 */
export function parseTlogProof(text: string): TlogProof {
  const end = text.indexOf('\n\n');
  const lines = end < 0 ? [] : text.slice(0, end).split('\n');
  if (lines.shift() !== header) throw malformed(`must begin with ${header} and hold a checkpoint`);
  let extra: Uint8Array | undefined;
  if (lines[0]?.startsWith('extra ')) {
    extra = fromBase64(lines.shift()!.slice(6));
    if (extra === undefined) throw malformed('extra data');
  }
  const indexLine = lines.shift() ?? '';
  const index = indexLine.startsWith('index ') ? parseDecimal(indexLine.slice(6)) : undefined;
  if (index === undefined) throw malformed('index');
  if (lines.length > 63) throw malformed('too many hashes');
  const inclusion = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== 32) throw malformed('hash');
    return hash;
  });
  return { ...(extra !== undefined && { extra }), index, inclusion, checkpoint: text.slice(end + 2) };
}

/**
 * Checks a proof offline: the checkpoint is signed by one of the keys under its own origin, and the record is in it.
 *
 * @param recordHash 32 bytes, computed by the caller from the record's bytes
 * @returns the checkpoint that now vouches for the record
 * @throws {LogError} `NOTE_MALFORMED`, `NOTE_UNVERIFIED`, `SIGNATURE_INVALID`, `CHECKPOINT_MALFORMED` or `PROOF_INVALID`
 */
export async function verifyTlogProof(
  proof: TlogProof,
  recordHash: Uint8Array,
  verifiers: readonly Verifier[],
): Promise<Checkpoint> {
  const { text, verifiedBy } = await openNote(proof.checkpoint, verifiers);
  const checkpoint = parseCheckpoint(text);
  if (!verifiedBy.some((verifier) => verifier.name === checkpoint.origin)) {
    throw new LogError('NOTE_UNVERIFIED', 'the checkpoint is not signed under its own origin');
  }
  verifyInclusion(proof.index, checkpoint.size, leafHash(recordHash), proof.inclusion, checkpoint.root);
  return checkpoint;
}

function malformed(what: string): LogError {
  return new LogError('PROOF_MALFORMED', `malformed tlog-proof: ${what}`);
}
