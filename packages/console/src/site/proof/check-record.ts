/** What the check of `@tallystick/verify` found, in the words of this page. */
import {
  checkRecord as check,
  type RecordCheckCode,
  type RecordCheckResult,
  type RecordEvidence,
  type RecordStep,
  type RecordStepResult,
} from '@tallystick/verify';

/** A step of the check. */
export type Step = RecordStep;

/** All that a check needs. */
export type Evidence = RecordEvidence;

/** The result of one step. */
export interface Check extends RecordStepResult {
  /** What was found, in words. */
  readonly text: string;
}

/** The results of all steps, and the checkpoint if it may be kept. */
export interface RecordCheck extends RecordCheckResult {
  readonly checks: readonly Check[];
}

/** Checks a record. What is wrong with the evidence is in the result and never thrown. */
export async function checkRecord(evidence: Evidence): Promise<RecordCheck> {
  const result = await check(evidence);
  return { ...result, checks: result.checks.map((each) => ({ ...each, text: textOf(each) })) };
}

type Facts = NonNullable<RecordStepResult['facts']>;

function textOf({ code, facts = {} }: RecordStepResult): string {
  const text = texts[code];
  return typeof text === 'string' ? text : text(facts);
}

const count = (value: number | undefined) => (value ?? 0).toLocaleString();

const texts: { readonly [code in RecordCheckCode]: string | ((facts: Facts) => string) } = {
  CONTENT_MATCHES: 'Everything on this page is what the record’s bytes hold.',
  CONTENT_UNREADABLE: 'The bytes are not a record: they were changed.',
  CONTENT_DIFFERS: ({ member }) => `“${member}” on this page is not what the record holds.`,
  HASH_MATCHES: 'SHA-256 of the record’s bytes is the hash in the list.',
  HASH_DIFFERS: 'The bytes have another hash than the list says: the record was changed.',
  LINK_FIRST: 'This is the first record of the chain.',
  LINK_FIRST_DIFFERS: 'The first record of a chain must have no record before it.',
  LINK_MATCHES: 'The hash of the record before this one is the one that this record names.',
  LINK_DIFFERS: 'The record before this one has another hash than this record names.',
  LINK_MISSING: 'The record before this one is not in the trail: it was removed.',
  LINK_UNREADABLE: 'The bytes name no record before this one.',
  LINK_NOT_SHOWN: 'You may not read the record before this one. The inclusion covers its place too.',
  RECEIPT_MISSING: ({ reason }) => reason ?? 'The service gave no receipt.',
  RECEIPT_UNREADABLE: 'The service answered with a receipt that can’t be read.',
  INCLUSION_MATCHES: ({ index, size }) =>
    `The record is leaf ${count(index)} of the signed tree of ${count(size)} records.`,
  INCLUSION_OTHER_PLACE: 'The receipt is for another place in the chain.',
  INCLUSION_DIFFERS: 'The proof leads to another root than the signed one.',
  INCLUSION_MALFORMED: ({ reason }) => `The proof does not fit: ${reason}.`,
  SIGNATURE_MATCHES: ({ rotations = 0 }) =>
    `The checkpoint is signed by the key that is pinned in this browser.${
      rotations === 0 ? '' : ` The key was rotated ${rotations} times; each change is signed.`
    }`,
  CHECKPOINT_UNTRUSTED: 'The key that is pinned in this browser has not signed the checkpoint.',
  CHECKPOINT_SIGNATURE_INVALID: 'The signature of the checkpoint is forged or damaged.',
  CHECKPOINT_KEY_RETIRED: 'The key that signed the checkpoint had been replaced before.',
  KEY_ROTATION_INVALID: 'The service shows a change of keys that the old key has not signed.',
  HISTORY_GROWN: ({ size }) =>
    `The log only grew since this browser last verified it, at ${count(size)} records.`,
  HISTORY_FORKED: 'The log does not contain what this browser verified before: it was forked.',
  HISTORY_PROOF_INVALID:
    'The service can’t prove that the log contains what this browser verified before: it was forked.',
  HISTORY_FIRST_VISIT: 'This browser has verified no earlier checkpoint. From now on it remembers this one.',
  HISTORY_OTHER_EPOCH: 'The checkpoint that this browser remembers is of another epoch of the log.',
  HISTORY_NO_PROOF: 'The service gave no proof that the log only grew since your last visit.',
};
