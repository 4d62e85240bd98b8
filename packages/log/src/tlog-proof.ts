import { fromBase64, parseDecimal, toBase64 } from './bytes.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { LogError } from './errors.ts';
import { openNote, type Verifier } from './note.ts';
import { leafHash } from './tree/hash.ts';
import { verifyInclusion } from './tree/proof.ts';

/** An offline proof (C2SP tlog-proof): a leaf's index, its inclusion proof and the signed checkpoint, in one text. */
export interface TlogProof {
  /** Extra data: in Tallystick's receipts, the record's bytes. They are trusted only when their leaf is proven. */
  readonly extra?: Uint8Array;
  readonly index: number;
  readonly inclusion: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: string;
}

const header = 'c2sp.org/tlog-proof@v1';

/** The text of a proof in the format of C2SP tlog-proof. */
export function formatTlogProof(proof: TlogProof): string {
  const extra = proof.extra === undefined ? '' : `extra ${toBase64(proof.extra)}\n`;
  const hashes = proof.inclusion.map((hash) => `${toBase64(hash)}\n`).join('');
  return `${header}\n${extra}index ${proof.index}\n${hashes}\n${proof.checkpoint}`;
}

/**
 * Parses the text of a proof. It verifies nothing.
 *
 * @throws {LogError} `PROOF_MALFORMED`
 */
export function parseTlogProof(text: string): TlogProof {
  const end = text.indexOf('\n\n');
  const lines = end < 0 ? [] : text.slice(0, end).split('\n');
  if (lines.shift() !== header) throw malformed(`it must begin with ${header} and contain a checkpoint`);
  let extra: Uint8Array | undefined;
  if (lines[0]?.startsWith('extra ')) {
    extra = fromBase64(lines.shift()!.slice(6));
    if (extra === undefined) throw malformed('the extra data is not base64');
  }
  const indexLine = lines.shift() ?? '';
  const index = indexLine.startsWith('index ') ? parseDecimal(indexLine.slice(6)) : undefined;
  if (index === undefined) throw malformed('the index line is missing or malformed');
  if (lines.length > 63) throw malformed('it has too many hashes');
  const inclusion = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== 32) throw malformed('a hash is not 32 bytes of base64');
    return hash;
  });
  return { ...(extra !== undefined && { extra }), index, inclusion, checkpoint: text.slice(end + 2) };
}

/**
 * Verifies a proof offline: one of the keys signed the checkpoint under its own origin, and the checkpoint's tree contains the
 * record.
 *
 * @param recordHash 32 bytes; the caller computes it from the record's bytes
 * @returns the verified checkpoint
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
