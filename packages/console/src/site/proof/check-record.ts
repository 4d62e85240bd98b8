/** Checks one record with nothing but its bytes, a receipt and a pinned key. It asks the service nothing. */
import { canonicalize } from '@tallystick/event';
import {
  createVerifier,
  equalBytes,
  flattenRecord,
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
  verifyConsistency,
  zeroHash,
} from '@tallystick/log';
import type { EventView } from '@tallystick/protocol';
import { type ReceiptParts, type ReceiptReport, readReceipt, verifyReceipt } from '@tallystick/verify';

/** What is checked, in this order. */
const steps = ['content', 'hash', 'link', 'inclusion', 'signature', 'history'] as const;

/** One of {@link steps}. */
export type Step = (typeof steps)[number];

/** The result of one step. */
export interface Check {
  readonly step: Step;
  readonly state: 'checked' | 'failed' | 'not_checked';
  /** What was found, in words. */
  readonly text: string;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
}

/** All that a check needs. Everything but the key and the kept checkpoint comes from the service and is not trusted. */
export interface Evidence {
  /** The event as the page shows it. */
  readonly view: EventView;
  /** The bytes of the record, as text. */
  readonly record: string;
  /** The bytes of the record before it; absent for the first record, and where the reader may not read them. */
  readonly predecessor?: string | undefined;
  /** The receipt, or why the service gave none. */
  readonly receipt: { readonly text: string } | { readonly missing: string };
  /** The verifier key that is pinned in this browser. */
  readonly key: string;
  /** The checkpoint that this browser verified last. */
  readonly kept?: string | undefined;
  /** Hashes that show that one of the two checkpoints extends the other, 32 bytes each; absent where none is needed. */
  readonly consistency?: readonly Uint8Array[] | undefined;
}

/** The results of all steps, and the checkpoint if it may be kept. */
export interface RecordCheck {
  readonly checks: readonly Check[];
  /** The signed note; only where no step failed. */
  readonly checkpoint?: string | undefined;
  readonly size?: number | undefined;
}

/** Checks a record. What is wrong with the evidence is in the result and never thrown. */
export async function checkRecord(evidence: Evidence): Promise<RecordCheck> {
  const { view, record, receipt } = evidence;
  const found = toHex(sha256(record));
  const listed = String(view.record_hash);
  const checks: Check[] = [
    checkContent(view, record),
    found === listed
      ? done('hash', 'SHA-256 of the record’s bytes is the hash in the list.')
      : failed(
          'hash',
          'The bytes have another hash than the list says: the record was changed.',
          listed,
          found,
        ),
    checkLink(evidence),
  ];
  if ('missing' in receipt) {
    return { checks: [...checks, ...notChecked(['inclusion', 'signature', 'history'], receipt.missing)] };
  }
  const parts = readReceipt(receipt.text, record);
  if (parts === undefined) {
    const text = 'The service answered with a receipt that can’t be read.';
    return {
      checks: [
        ...checks,
        { step: 'inclusion', state: 'failed', text },
        ...notChecked(['signature', 'history'], text),
      ],
    };
  }
  const report = await verifyReceipt(receipt.text, {
    keys: [keyFor(parts, evidence.key)],
    recordText: record,
    kept: keptOf(parts, evidence.kept),
  });
  checks.push(checkInclusion(parts, view), checkSignature(report), checkHistory(parts, evidence, report));
  const isSound = checks.every(({ state }) => state !== 'failed');
  return {
    checks,
    size: parts.checkpoint.size,
    ...(isSound && { checkpoint: parts.proof.checkpoint }),
  };
}

/** Members of the view that the service adds to what the record holds. */
const added = new Set(['epoch', 'claimed', 'record']);

function checkContent(view: EventView, text: string): Check {
  const record = readCanonicalRecord(text);
  if (record === undefined)
    return { step: 'content', state: 'failed', text: 'The bytes are no record: they were changed.' };
  const held = flattenRecord(record, String(view.record_hash));
  const names = new Set([...Object.keys(held), ...Object.keys(view).filter((name) => !added.has(name))]);
  for (const name of names) {
    const [expected, found] = [jsonOf(held[name]), jsonOf(view[name])];
    if (expected !== found)
      return failed('content', `“${name}” on this page is not what the record holds.`, expected, found);
  }
  return done('content', 'Everything on this page is what the record’s bytes hold.');
}

function jsonOf(value: unknown): string {
  return value === undefined ? 'absent' : canonicalize(value);
}

function checkLink({ view, record, predecessor }: Evidence): Check {
  const previous = readCanonicalRecord(record)?.previous_hash;
  if (previous === undefined) return notChecked(['link'], 'The bytes name no record before this one.')[0]!;
  if (view.sequence_number === 0) {
    return previous === zeroHash
      ? done('link', 'This is the first record of the chain.')
      : failed('link', 'The first record of a chain must have no record before it.', zeroHash, previous);
  }
  if (predecessor === undefined)
    return notChecked(
      ['link'],
      'You may not read the record before this one. The inclusion covers its place too.',
    )[0]!;
  const found = toHex(sha256(predecessor));
  return found === previous
    ? done('link', 'The hash of the record before this one is the one that this record names.')
    : failed('link', 'The record before this one has another hash than this record names.', previous, found);
}

function checkInclusion({ proof, checkpoint, recordBytes }: ReceiptParts, view: EventView): Check {
  if (proof.index !== view.sequence_number)
    return failed(
      'inclusion',
      'The receipt is for another place in the chain.',
      String(view.sequence_number),
      String(proof.index),
    );
  try {
    const root = rootFromInclusion(
      proof.index,
      checkpoint.size,
      leafHash(sha256(recordBytes)),
      proof.inclusion,
    );
    return equalBytes(root, checkpoint.root)
      ? done(
          'inclusion',
          `The record is leaf ${proof.index.toLocaleString()} of the signed tree of ${checkpoint.size.toLocaleString()} records.`,
        )
      : failed(
          'inclusion',
          'The proof leads to another root than the signed one.',
          toHex(checkpoint.root),
          toHex(root),
        );
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return { step: 'inclusion', state: 'failed', text: `The proof does not fit: ${error.message}.` };
  }
}

const signatureFaults: { readonly [code: string]: string } = {
  CHECKPOINT_UNTRUSTED: 'The key that is pinned in this browser has not signed the checkpoint.',
  CHECKPOINT_SIGNATURE_INVALID: 'The signature of the checkpoint is forged or damaged.',
  CHECKPOINT_KEY_RETIRED: 'The key that signed the checkpoint had been replaced before.',
  KEY_ROTATION_INVALID: 'The service shows a change of keys that the old key has not signed.',
};

function checkSignature({ findings, rotations = [] }: ReceiptReport): Check {
  const fault = findings.find(({ code }) => code in signatureFaults);
  if (fault !== undefined) return { step: 'signature', state: 'failed', text: signatureFaults[fault.code]! };
  const changes =
    rotations.length === 0 ? '' : ` The key was rotated ${rotations.length} times; each change is signed.`;
  return done('signature', `The checkpoint is signed by the key that is pinned in this browser.${changes}`);
}

function checkHistory({ checkpoint }: ReceiptParts, evidence: Evidence, report: ReceiptReport): Check {
  const step = 'history';
  if (report.findings.some(({ code }) => code === 'CHECKPOINT_INCONSISTENT'))
    return {
      step,
      state: 'failed',
      text: 'The log contradicts a checkpoint that this browser verified before: it was forked.',
    };
  if (evidence.kept === undefined)
    return notChecked(
      [step],
      'This browser has verified no earlier checkpoint. From now on it remembers this one.',
    )[0]!;
  const kept = parseCheckpoint(parseNote(evidence.kept).text);
  if (kept.origin !== checkpoint.origin)
    return notChecked(
      [step],
      'The checkpoint that this browser remembers is of another epoch of the log.',
    )[0]!;
  const [older, newer] = kept.size <= checkpoint.size ? [kept, checkpoint] : [checkpoint, kept];
  if (evidence.consistency === undefined && older.size !== newer.size)
    return notChecked([step], 'The service gave no proof that the log only grew since your last visit.')[0]!;
  try {
    verifyConsistency(older.size, newer.size, evidence.consistency ?? [], older.root, newer.root);
    return done(
      step,
      `The log only grew since this browser last verified it, at ${kept.size.toLocaleString()} records.`,
    );
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return {
      step,
      state: 'failed',
      text: 'The log does not contain what this browser verified before: it was forked.',
    };
  }
}

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

function done(step: Step, text: string): Check {
  return { step, state: 'checked', text };
}

function failed(step: Step, text: string, expected: string, found: string): Check {
  return { step, state: 'failed', text, expected, found };
}

function notChecked(which: readonly Step[], text: string): Check[] {
  return which.map((step) => ({ step, state: 'not_checked', text }));
}
