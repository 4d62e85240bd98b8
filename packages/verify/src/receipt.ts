import { decodeUtf8, isCanonical } from '@tallystick/event';
import {
  type AuditRecord,
  equalBytes,
  LogError,
  parseOrigin,
  parseTlogProof,
  parseVerifierKey,
  readRecord,
  sha256,
  toHex,
  type Verifier,
  verifyTlogProof,
} from '@tallystick/log';
import { readAccepted } from './checkpoints.ts';
import type { Finding, TrustSource } from './report.ts';

/** The result of verifying a receipt. */
export interface ReceiptReport {
  readonly verdict: 'verified' | 'broken' | 'not_verifiable';
  readonly tenant_id: string | null;
  readonly sequence_number: number | null;
  /** Hash of the record, hex. */
  readonly record_hash: string | null;
  /** Size of the checkpoint's tree. */
  readonly checkpoint_size: number | null;
  readonly trust: { readonly source: TrustSource };
  readonly findings: readonly Finding[];
  /** The proven record; only where the verdict is `verified`. */
  readonly record: AuditRecord | undefined;
  /** Sizes of the caller's checkpoints that the receipt could not be compared with; absent where there are none. */
  readonly not_compared?: readonly number[];
}

/**
 * Verifies a receipt offline. A receipt is a C2SP tlog-proof. Its extra data is the record's bytes, unless the caller gives
 * them separately.
 *
 * @param options.recordText the record's bytes, where the receipt does not contain them
 * @throws {LogError} `PROOF_MALFORMED` for a text that is not a receipt, `KEY_MALFORMED` for one that is not a key
 */
export async function verifyReceipt(
  receipt: string,
  options: {
    readonly keys: readonly (string | Verifier)[];
    readonly recordText?: string;
    readonly trust?: TrustSource;
    /** Signed notes of the same log that an earlier verification accepted. One of the receipt's size must have its root. */
    readonly kept?: readonly string[];
    /** Called with the notes of two checkpoints that contradict each other. Keep both: they are evidence against the log. */
    readonly onEquivocation?: (first: string, second: string) => void;
  },
): Promise<ReceiptReport> {
  const keys = options.keys.map((key) => (typeof key === 'string' ? parseVerifierKey(key) : key));
  const proof = parseTlogProof(receipt);
  const text = options.recordText ?? (proof.extra === undefined ? undefined : decodeUtf8(proof.extra));
  if (text === undefined)
    throw new LogError('PROOF_MALFORMED', 'the receipt contains no record: give the record, too');
  const hash = sha256(text);
  const source = options.trust ?? (keys.length > 0 ? 'given' : 'none');
  const base = { record_hash: toHex(hash), trust: { source } };
  const fail = (verdict: 'broken' | 'not_verifiable', code: Finding['code']): ReceiptReport => ({
    ...base,
    verdict,
    tenant_id: null,
    sequence_number: proof.index,
    checkpoint_size: null,
    findings: [{ code, sequence_number: proof.index }],
    record: undefined,
  });
  let size: number;
  let origin: string;
  let root: Uint8Array;
  try {
    ({ size, origin, root } = await verifyTlogProof(proof, hash, keys));
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    if (error.code === 'NOTE_UNVERIFIED') return fail('not_verifiable', 'CHECKPOINT_UNTRUSTED');
    if (error.code === 'SIGNATURE_INVALID') return fail('broken', 'CHECKPOINT_SIGNATURE_INVALID');
    if (error.code === 'PROOF_INVALID') return fail('broken', 'CHECKPOINT_ROOT_MISMATCH');
    throw error;
  }
  const kept = readAccepted(options.kept ?? [], origin);
  const fork = kept.find((checkpoint) => checkpoint.size === size && !equalBytes(checkpoint.root, root));
  if (fork !== undefined) {
    options.onEquivocation?.(fork.note, proof.checkpoint);
    return fail('broken', 'CHECKPOINT_INCONSISTENT');
  }
  const notCompared = kept.map((checkpoint) => checkpoint.size).filter((other) => other !== size);
  let record: AuditRecord;
  try {
    record = readRecord(text);
  } catch {
    return fail('broken', 'RECORD_NOT_CANONICAL');
  }
  if (!isCanonical(text)) return fail('broken', 'RECORD_NOT_CANONICAL');
  if (record.sequence_number !== proof.index) return fail('broken', 'SEQUENCE_GAP');
  if (record.tenant_id !== parseOrigin(origin).tenantId || record.event.tenant_id !== record.tenant_id)
    return fail('broken', 'TENANT_MISMATCH');
  return {
    ...base,
    verdict: 'verified',
    tenant_id: record.tenant_id,
    sequence_number: record.sequence_number,
    checkpoint_size: size,
    findings: [],
    record,
    ...(notCompared.length > 0 && { not_compared: notCompared }),
  };
}
