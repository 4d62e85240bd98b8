import type { Finding, FindingCode } from '@tallystick/verify';

/** What the check of a page found, in the words of this page. */
export function textOfFinding({ code, found }: Finding): string {
  if (code === 'LIST_MISMATCH' && found !== undefined) return `The list shows ${found}.`;
  return texts[code] ?? `${code}${found === undefined ? '' : `: ${found}`}.`;
}

const texts: { readonly [code in FindingCode]?: string } = {
  RECORD_HASH_MISMATCH: 'The bytes have another hash than the list says: the record was changed.',
  RECORD_NOT_CANONICAL: 'The bytes are not a record: they were changed.',
  CHAIN_LINK_BROKEN: 'It does not name the hash of the record before it.',
  TIME_REGRESSION: 'It is older than the record before it.',
  TENANT_MISMATCH: 'It is a record of another tenant.',
  HEAD_MISMATCH: 'The log is shorter than what this browser verified before.',
  CHECKPOINT_ROOT_MISMATCH: 'The proof of the page leads to another root than the signed one.',
  CHECKPOINT_UNTRUSTED: 'The key that is pinned in this browser has not signed the checkpoint.',
  CHECKPOINT_SIGNATURE_INVALID: 'The signature of the checkpoint is forged or damaged.',
  CHECKPOINT_KEY_RETIRED: 'The key that signed the checkpoint had been replaced before.',
  CHECKPOINT_INCONSISTENT: 'The checkpoint contradicts one that this browser verified before.',
  KEY_ROTATION_INVALID: 'The service shows a change of keys that the old key has not signed.',
};
