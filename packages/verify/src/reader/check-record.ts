/** Checks one record for a reader in a browser: with nothing but its bytes, a receipt and a pinned key. It asks the service nothing. */
import { canonicalize } from '@tallystick/event';
import {
  type Checkpoint,
  createVerifier,
  equalBytes,
  LogError,
  leafHash,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  parseVerifierKey,
  readCanonicalRecord,
  rootFromInclusion,
  sha256,
  toHex,
  type Verifier,
  zeroHash,
} from '@tallystick/log';
import { compareCheckpoints } from '../compare-checkpoints.ts';
import { type ReceiptParts, type ReceiptReport, readReceipt, verifyReceipt } from '../receipt.ts';
import { type ShownRecord, shownRecord } from '../selection/shown-record.ts';

/** What is checked, in this order. */
const steps = ['content', 'hash', 'link', 'inclusion', 'signature', 'history'] as const;

/** A step of the check of a record. */
export type RecordStep = (typeof steps)[number];

/** What a step found. Pages word it. */
export type RecordCheckCode =
  | 'CONTENT_MATCHES'
  | 'CONTENT_UNREADABLE'
  | 'CONTENT_DIFFERS'
  | 'HASH_MATCHES'
  | 'HASH_DIFFERS'
  | 'LINK_FIRST'
  | 'LINK_FIRST_DIFFERS'
  | 'LINK_MATCHES'
  | 'LINK_DIFFERS'
  | 'LINK_MISSING'
  | 'LINK_UNREADABLE'
  | 'LINK_NOT_SHOWN'
  | 'RECEIPT_MISSING'
  | 'RECEIPT_UNREADABLE'
  | 'INCLUSION_MATCHES'
  | 'INCLUSION_OTHER_PLACE'
  | 'INCLUSION_DIFFERS'
  | 'INCLUSION_MALFORMED'
  | 'SIGNATURE_MATCHES'
  | 'CHECKPOINT_UNTRUSTED'
  | 'CHECKPOINT_SIGNATURE_INVALID'
  | 'CHECKPOINT_KEY_RETIRED'
  | 'KEY_ROTATION_INVALID'
  | 'HISTORY_GROWN'
  | 'HISTORY_FORKED'
  | 'HISTORY_PROOF_INVALID'
  | 'HISTORY_FIRST_VISIT'
  | 'HISTORY_OTHER_EPOCH'
  | 'HISTORY_NO_PROOF';

/** The result of one step. */
export interface RecordStepResult {
  readonly step: RecordStep;
  readonly state: 'checked' | 'failed' | 'not_checked';
  readonly code: RecordCheckCode;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
  /** Of the code: the name of a member, the place of the record, sizes of trees, a number of rotations, or words of the service. */
  readonly facts?: {
    readonly member?: string;
    readonly index?: number;
    readonly size?: number;
    readonly rotations?: number;
    readonly reason?: string;
  };
}

/** All that a check needs. Everything but the key and the kept checkpoint comes from the service and is not trusted. */
export interface RecordEvidence {
  /** The event as the page shows it. */
  readonly view: { readonly [member: string]: unknown };
  /** Members of the record that the page does not show and does not claim to. @defaultValue none */
  readonly leftOut?: readonly string[] | undefined;
  /** The bytes of the record, as text. */
  readonly record: string;
  /**
   * The bytes of the record before it; absent for the first record, and where the reader may not read them. `null`: the service has no
   * record there, although the reader may read every place of the chain.
   */
  readonly predecessor?: string | null | undefined;
  /** The receipt, or why the service gave none. */
  readonly receipt: { readonly text: string } | { readonly missing: string };
  /** The verifier key that is pinned in this browser. */
  readonly key: string;
  /** The checkpoint that this browser verified last. */
  readonly kept?: string | undefined;
  /** Hashes that show that one of the two checkpoints extends the other, 32 bytes each; absent where there are none. */
  readonly consistency?: readonly Uint8Array[] | undefined;
}

/** The results of all steps, and the checkpoint if it may be kept. */
export interface RecordCheckResult {
  readonly checks: readonly RecordStepResult[];
  /** The signed note; only where no step failed and it is proven to belong to the log that this browser verified before. */
  readonly checkpoint?: string | undefined;
  readonly size?: number | undefined;
}

/** Checks a record. What is wrong with the evidence is in the result and never thrown. */
export async function checkRecord(evidence: RecordEvidence): Promise<RecordCheckResult> {
  const { view, record, receipt } = evidence;
  const found = toHex(sha256(record));
  const listed = String(view.record_hash);
  const checks: RecordStepResult[] = [
    checkContent(evidence),
    found === listed ? done('hash', 'HASH_MATCHES') : failed('hash', 'HASH_DIFFERS', listed, found),
    checkLink(evidence),
  ];
  if ('missing' in receipt) {
    const facts = { reason: receipt.missing };
    return {
      checks: [...checks, ...notChecked(['inclusion', 'signature', 'history'], 'RECEIPT_MISSING', facts)],
    };
  }
  const parts = readReceipt(receipt.text, record);
  if (parts === undefined) {
    checks.push({ step: 'inclusion', state: 'failed', code: 'RECEIPT_UNREADABLE' });
    return { checks: [...checks, ...notChecked(['signature', 'history'], 'RECEIPT_UNREADABLE')] };
  }
  const report = await verifyReceipt(receipt.text, {
    keys: [keyFor(parts, evidence.key)],
    recordText: record,
    kept: keptOf(parts, evidence.kept),
  });
  const history = checkHistory(parts, report, evidence);
  checks.push(checkInclusion(parts, evidence), checkSignature(report), history);
  const isSound = checks.every(({ state }) => state !== 'failed');
  // A checkpoint that nothing ties to the kept one must not replace it: a fork would hide by refusing the proof once.
  const mayKeep = isSound && history.code !== 'HISTORY_NO_PROOF';
  return {
    checks,
    size: parts.checkpoint.size,
    ...(mayKeep && { checkpoint: parts.proof.checkpoint }),
  };
}

/** Members of the view that the bytes of the record do not decide. The inclusion decides the epoch. */
const added = new Set(['epoch', 'record']);

function checkContent({ view, record: text, leftOut = [] }: RecordEvidence): RecordStepResult {
  const record = readCanonicalRecord(text);
  if (record === undefined) return { step: 'content', state: 'failed', code: 'CONTENT_UNREADABLE' };
  const held: ShownRecord = shownRecord(record, String(view.record_hash), Number(view.epoch));
  const shown = Object.keys(view).filter((name) => !added.has(name));
  const expectedNames = Object.keys(held).filter((name) => !added.has(name) && !leftOut.includes(name));
  for (const name of new Set([...expectedNames, ...shown])) {
    const [expected, found] = [jsonOf(held[name]), jsonOf(view[name])];
    if (expected !== found)
      return { ...failed('content', 'CONTENT_DIFFERS', expected, found), facts: { member: name } };
  }
  return done('content', 'CONTENT_MATCHES');
}

/** A page may show values that no record can have. */
function jsonOf(value: unknown): string {
  if (value === undefined) return 'absent';
  try {
    return canonicalize(value);
  } catch {
    return 'a value that no record can have';
  }
}

function checkLink({ view, record, predecessor }: RecordEvidence): RecordStepResult {
  const previous = readCanonicalRecord(record)?.previous_hash;
  if (previous === undefined) return notChecked(['link'], 'LINK_UNREADABLE')[0]!;
  if (view.sequence_number === 0) {
    return previous === zeroHash
      ? done('link', 'LINK_FIRST')
      : failed('link', 'LINK_FIRST_DIFFERS', zeroHash, previous);
  }
  if (predecessor === undefined) return notChecked(['link'], 'LINK_NOT_SHOWN')[0]!;
  if (predecessor === null) return failed('link', 'LINK_MISSING', previous, 'no record');
  const found = toHex(sha256(predecessor));
  return found === previous ? done('link', 'LINK_MATCHES') : failed('link', 'LINK_DIFFERS', previous, found);
}

function checkInclusion(
  { proof, checkpoint, origin, recordBytes }: ReceiptParts,
  { view, record }: RecordEvidence,
): RecordStepResult {
  const places = [
    [view.sequence_number, proof.index],
    [view.epoch ?? origin.epoch, origin.epoch],
    [view.tenant_id, origin.tenantId],
    [readCanonicalRecord(record)?.tenant_id ?? origin.tenantId, origin.tenantId],
  ];
  for (const [shown, proven] of places)
    if (shown !== proven) return failed('inclusion', 'INCLUSION_OTHER_PLACE', String(shown), String(proven));
  const facts = { index: proof.index, size: checkpoint.size };
  try {
    const leaf = leafHash(sha256(recordBytes));
    const root = rootFromInclusion(proof.index, checkpoint.size, leaf, proof.inclusion);
    return equalBytes(root, checkpoint.root)
      ? { ...done('inclusion', 'INCLUSION_MATCHES'), facts }
      : failed('inclusion', 'INCLUSION_DIFFERS', toHex(checkpoint.root), toHex(root));
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return {
      step: 'inclusion',
      state: 'failed',
      code: 'INCLUSION_MALFORMED',
      facts: { reason: error.message },
    };
  }
}

const signatureFaults = [
  'CHECKPOINT_UNTRUSTED',
  'CHECKPOINT_SIGNATURE_INVALID',
  'CHECKPOINT_KEY_RETIRED',
  'KEY_ROTATION_INVALID',
] as const;

function checkSignature({ findings, rotations = [] }: ReceiptReport): RecordStepResult {
  const fault = signatureFaults.find((code) => findings.some((finding) => finding.code === code));
  if (fault !== undefined) return { step: 'signature', state: 'failed', code: fault };
  return { ...done('signature', 'SIGNATURE_MATCHES'), facts: { rotations: rotations.length } };
}

function checkHistory(
  { checkpoint }: ReceiptParts,
  { findings }: ReceiptReport,
  evidence: RecordEvidence,
): RecordStepResult {
  const step = 'history';
  // A rotation of the key states a checkpoint too, and the one of the receipt may contradict it.
  const isInconsistent = findings.some(({ code }) => code === 'CHECKPOINT_INCONSISTENT');
  const forked: RecordStepResult = { step, state: 'failed', code: 'HISTORY_FORKED' };
  if (evidence.kept === undefined)
    return isInconsistent ? forked : notChecked([step], 'HISTORY_FIRST_VISIT')[0]!;
  const kept = parseCheckpoint(parseNote(evidence.kept).text);
  const facts = { size: kept.size };
  const relation = compareCheckpoints(kept, checkpoint, evidence.consistency);
  if (isInconsistent && relation !== 'contradiction') return { ...forked, facts };
  switch (relation) {
    case 'one_log':
      return { ...done(step, 'HISTORY_GROWN'), facts };
    case 'contradiction':
      return { ...failed(step, 'HISTORY_FORKED', treeText(kept), treeText(checkpoint)), facts };
    case 'proof_invalid':
      return { ...failed(step, 'HISTORY_PROOF_INVALID', treeText(kept), treeText(checkpoint)), facts };
    case 'no_proof':
      return notChecked([step], 'HISTORY_NO_PROOF', facts)[0]!;
    case 'other_log':
      return notChecked([step], 'HISTORY_OTHER_EPOCH', facts)[0]!;
  }
}

/** Two signed trees that contradict each other, side by side: `41 9f86d0…`, the number of records and the root. */
const treeText = ({ size, root }: Checkpoint) => `${size} ${toHex(root)}`;

/** The pinned key counts for every epoch of its log, under the name of the epoch. */
function keyFor({ origin, checkpoint }: ReceiptParts, key: string): Verifier {
  const pinned = parseVerifierKey(key);
  const { logName, tenantId } = parseOrigin(pinned.name);
  const isSameLog = logName === origin.logName && tenantId === origin.tenantId;
  return isSameLog ? createVerifier(checkpoint.origin, pinned.publicKey) : pinned;
}

/** `verifyReceipt` compares checkpoints of one log. */
function keptOf({ checkpoint }: ReceiptParts, kept: string | undefined): readonly string[] {
  if (kept === undefined) return [];
  return parseCheckpoint(parseNote(kept).text).origin === checkpoint.origin ? [kept] : [];
}

function done(step: RecordStep, code: RecordCheckCode): RecordStepResult {
  return { step, state: 'checked', code };
}

function failed(step: RecordStep, code: RecordCheckCode, expected: string, found: string): RecordStepResult {
  return { step, state: 'failed', code, expected, found };
}

function notChecked(
  which: readonly RecordStep[],
  code: RecordCheckCode,
  facts?: RecordStepResult['facts'],
): RecordStepResult[] {
  return which.map((step) => ({ step, state: 'not_checked', code, ...(facts !== undefined && { facts }) }));
}
