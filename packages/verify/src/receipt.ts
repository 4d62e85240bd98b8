import { decodeUtf8 } from '@tallystick/event';
import {
  type AuditRecord,
  type Checkpoint,
  equalBytes,
  type KeyRotation,
  LogError,
  type Origin,
  openNote,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  parseTlogProof,
  parseVerifierKey,
  readCanonicalRecord,
  sha256,
  splitRotations,
  type TlogProof,
  toHex,
  type Verifier,
  verifyTlogProof,
} from '@tallystick/log';
import { findEquivocation, type JudgedCheckpoint, readAccepted, readKept } from './checkpoints.ts';
import {
  type ChainVerdict,
  type Finding,
  Findings,
  type FollowedRotation,
  type TrustSource,
} from './report.ts';
import { type TrustedKeys, trustedKeys } from './trusted-keys.ts';

/** The result of verifying a receipt. */
export interface ReceiptReport {
  readonly verdict: ChainVerdict;
  readonly tenant_id: string | null;
  readonly sequence_number: number | null;
  /** Hash of the record, hex. */
  readonly record_hash: string | null;
  /** Size of the checkpoint's tree. */
  readonly checkpoint_size: number | null;
  readonly trust: { readonly source: TrustSource };
  readonly findings: readonly Finding[];
  /** The proven record; only where the verdict is `verified` or `recovered`. */
  readonly record: AuditRecord | undefined;
  /** The rotations that were followed, of the caller and of the receipt; absent where there are none. */
  readonly rotations?: readonly FollowedRotation[];
  /** Sizes of the caller's checkpoints that the receipt could not be compared with; absent where there are none. */
  readonly not_compared?: readonly number[];
}

/** What the verification of a receipt trusts. */
export interface VerifyReceiptOptions {
  /** Verifier keys that the caller trusts. They must not come from the receipt. */
  readonly keys: readonly (string | Verifier)[];
  /** The record's bytes, where the receipt does not contain them. */
  readonly recordText?: string;
  /** Rotations of the log's key that the caller knows, oldest first. Those of the receipt follow them. */
  readonly rotations?: readonly KeyRotation[];
  /** Where the keys came from; only reported. @defaultValue 'given', or 'none' without keys */
  readonly trust?: TrustSource;
  /** Signed notes of the same log that the caller got from elsewhere. A trusted key must have signed them. */
  readonly checkpoints?: readonly string[];
  /** Signed notes of the same log that an earlier verification accepted. One of the receipt's size must have its root. */
  readonly kept?: readonly string[];
  /** Called with two notes that contradict each other, checkpoints or rotations. Keep both: they are evidence against the log. */
  readonly onEquivocation?: (first: string, second: string) => void;
}

/**
 * Verifies a receipt offline (spec/log.md). A receipt is a C2SP tlog-proof. Its extra data is the record's bytes, unless the
 * caller gives them separately.
 *
 * @throws {LogError} `KEY_MALFORMED` for a malformed key; `NOTE_MALFORMED`, `CHECKPOINT_MALFORMED` or `NOTE_UNVERIFIED` for a
 *   kept checkpoint. What is wrong with the receipt itself is never thrown: it is in the report
 */
export async function verifyReceipt(
  receipt: string | Uint8Array,
  options: VerifyReceiptOptions,
): Promise<ReceiptReport> {
  const keys = options.keys.map((key) => (typeof key === 'string' ? parseVerifierKey(key) : key));
  const trust = { source: options.trust ?? (keys.length > 0 ? 'given' : 'none') } as const;
  const parts = readReceipt(receipt, options.recordText);
  if (parts === undefined) {
    return {
      verdict: 'not_verifiable',
      tenant_id: null,
      sequence_number: null,
      record_hash: null,
      checkpoint_size: null,
      trust,
      findings: [{ code: 'RECEIPT_MALFORMED', sequence_number: null }],
      record: undefined,
    };
  }
  const { proof, origin, checkpoint, rotations, recordBytes } = parts;
  const hash = sha256(recordBytes);
  const findings = new Findings();
  const known = [...(options.rotations ?? []), ...rotations];
  const ofLog = await trustedKeys(checkpoint.origin, keys, known, findings);
  if (ofLog.twoSuccessors !== undefined) options.onEquivocation?.(...ofLog.twoSuccessors);
  const kept = [
    ...readAccepted(options.kept ?? [], checkpoint.origin),
    ...(await readKept(options.checkpoints ?? [], ofLog, findings)),
  ];
  const base = { sequence_number: proof.index, record_hash: toHex(hash), trust };
  const failed = (list: readonly Finding[]): ReceiptReport => ({
    ...base,
    verdict: list.some(({ code }) => code !== 'CHECKPOINT_UNTRUSTED') ? 'broken' : 'not_verifiable',
    tenant_id: null,
    checkpoint_size: null,
    findings: list,
    record: undefined,
  });
  const fail = (code: Finding['code']) => failed([{ code, sequence_number: proof.index }]);
  if (findings.count > 0) return failed(findings.list);
  const fault = await faultOfProof(proof, hash, ofLog);
  if (fault !== undefined) return fail(fault);
  const fork = findEquivocation([...kept, { ...checkpoint, note: proof.checkpoint, signedBy: [] }]);
  if (fork !== undefined) {
    options.onEquivocation?.(...fork);
    return fail('CHECKPOINT_INCONSISTENT');
  }
  const isOther = ({ size, root }: Checkpoint) =>
    size === checkpoint.size && !equalBytes(root, checkpoint.root);
  if (ofLog.handovers.some(isOther)) return fail('CHECKPOINT_INCONSISTENT');
  const record = readRecordBytes(recordBytes);
  if (record === undefined) return fail('RECORD_NOT_CANONICAL');
  if (record.sequence_number !== proof.index) return fail('SEQUENCE_GAP');
  const { tenantId, epoch } = origin;
  if (record.tenant_id !== tenantId || record.event.tenant_id !== tenantId) return fail('TENANT_MISMATCH');
  const notCompared = sizesOf(kept).filter((size) => size !== checkpoint.size);
  return {
    ...base,
    verdict: epoch > 1 ? 'recovered' : 'verified',
    tenant_id: tenantId,
    checkpoint_size: checkpoint.size,
    findings: [],
    record,
    ...(ofLog.followed.length > 0 && { rotations: ofLog.followed }),
    ...(notCompared.length > 0 && { not_compared: notCompared }),
  };
}

const sizesOf = (kept: readonly JudgedCheckpoint[]) => [...new Set(kept.map(({ size }) => size))];

/** What a receipt contains. None of it is verified. */
export interface ReceiptParts {
  readonly proof: TlogProof;
  readonly checkpoint: Checkpoint;
  /** The parts of the checkpoint's origin. */
  readonly origin: Origin;
  /** Rotations of the log's key, oldest first. */
  readonly rotations: readonly KeyRotation[];
  readonly recordBytes: Uint8Array;
}

/**
 * Reads the parts of a receipt; `undefined` where it is malformed or has no record.
 *
 * @param recordText the record's bytes, where the receipt does not contain them
 */
export function readReceipt(receipt: string | Uint8Array, recordText?: string): ReceiptParts | undefined {
  const text = typeof receipt === 'string' ? receipt : readUtf8(receipt);
  if (text === undefined) return undefined;
  try {
    const read = parseTlogProof(text);
    const { note, rotations } = splitRotations(read.checkpoint);
    const proof = { ...read, checkpoint: note };
    const checkpoint = parseCheckpoint(parseNote(note).text);
    const recordBytes = recordText === undefined ? proof.extra : new TextEncoder().encode(recordText);
    if (recordBytes === undefined) return undefined;
    return { proof, checkpoint, origin: parseOrigin(checkpoint.origin), rotations, recordBytes };
  } catch (error) {
    if (error instanceof LogError) return undefined;
    throw error;
  }
}

function readRecordBytes(bytes: Uint8Array): AuditRecord | undefined {
  const text = readUtf8(bytes);
  return text === undefined ? undefined : readCanonicalRecord(text);
}

function readUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decodeUtf8(bytes);
  } catch {
    return undefined;
  }
}

/** Why the proof does not show that the signed tree contains the record. */
async function faultOfProof(
  proof: TlogProof,
  recordHash: Uint8Array,
  keys: TrustedKeys,
): Promise<Finding['code'] | undefined> {
  try {
    const { text, verifiedBy } = await openNote(proof.checkpoint, keys.verifiers);
    if (!keys.mayHaveSigned(verifiedBy, parseCheckpoint(text))) return 'CHECKPOINT_KEY_RETIRED';
    await verifyTlogProof(proof, recordHash, keys.verifiers);
    return undefined;
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    if (error.code === 'NOTE_UNVERIFIED') return 'CHECKPOINT_UNTRUSTED';
    if (error.code === 'SIGNATURE_INVALID') return 'CHECKPOINT_SIGNATURE_INVALID';
    if (error.code === 'PROOF_INVALID') return 'CHECKPOINT_ROOT_MISMATCH';
    throw error;
  }
}
