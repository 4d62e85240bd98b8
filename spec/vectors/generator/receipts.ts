import { canonicalize } from '@tallystick/event';
import {
  createVerifier,
  formatRotation,
  formatTlogProof,
  importSigningKey,
  type RotationEvidence,
  type SigningKey,
  signNote,
  withRotations,
} from '@tallystick/log';
import { head3, head5, leaves, records, rewritten } from './bundle-parts.ts';
import { last, statement } from './bundles-rotated.ts';
import {
  base64,
  checkpoint,
  digest,
  event,
  forge,
  logKey,
  origin,
  otherKey,
  trusted,
  verifierKey,
} from './fixture.ts';
import { inclusion, leaf, leavesOf, root } from './naive-tree.ts';

interface ReceiptCase {
  readonly name: string;
  /** base64 */
  readonly receipt: string;
  readonly keys: readonly string[];
  /** Checkpoints that the user gives. */
  readonly given?: readonly string[];
  readonly expect: {
    readonly verdict: 'verified' | 'recovered' | 'broken' | 'not_verifiable';
    readonly tenant_id: string | null;
    readonly sequence_number: number | null;
    readonly checkpoint_size: number | null;
    readonly findings: readonly string[];
    readonly not_compared?: readonly number[];
    readonly rotations?: readonly object[];
  };
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const good = formatTlogProof({
  extra: utf8(records[3]!.text),
  index: 3,
  inclusion: inclusion(3, leaves),
  checkpoint: head5,
});
const bytesOf = (receipt: string | Uint8Array) => (typeof receipt === 'string' ? utf8(receipt) : receipt);

/** A receipt for the bytes at position 3 of a tree that contains them, signed with the log's own key. */
async function signed(extra: Uint8Array, options: { origin?: string } = {}): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(extra)));
  const of = leaves.with(3, leaf(hash));
  const note = await checkpoint(5, root(of), options);
  return formatTlogProof({ extra, index: 3, inclusion: inclusion(3, of), checkpoint: note });
}

const verified = (
  name: string,
  receipt: string,
  more: Partial<Pick<ReceiptCase, 'keys' | 'given'>> & { expect?: Partial<ReceiptCase['expect']> } = {},
): ReceiptCase => ({
  name,
  receipt: base64(bytesOf(receipt)),
  keys: [trusted],
  ...more,
  expect: {
    verdict: 'verified',
    tenant_id: 'acme',
    sequence_number: 3,
    checkpoint_size: 5,
    findings: [],
    ...more.expect,
  },
});
const failed = (
  verdict: 'broken' | 'not_verifiable',
  name: string,
  receipt: string | Uint8Array,
  finding: string,
  { place = 3, ...more }: Partial<Pick<ReceiptCase, 'keys' | 'given'>> & { place?: number } = {},
): ReceiptCase => ({
  name,
  receipt: base64(bytesOf(receipt)),
  keys: [trusted],
  ...more,
  expect: {
    verdict,
    tenant_id: null,
    sequence_number: finding === 'RECEIPT_MALFORMED' ? null : place,
    checkpoint_size: null,
    findings: [finding],
  },
});
/** A rotation that both keys sign, of a log that had signed nothing. */
async function rotate(before: SigningKey, next: SigningKey): Promise<RotationEvidence> {
  const name = 'audit.example.com';
  const text = formatRotation({
    logName: name,
    oldKey: createVerifier(name, before.publicKey),
    newKey: createVerifier(name, next.publicKey),
    rotatedAt: '2026-03-02T12:00:00.000Z',
    logs: 0,
    root: digest('no logs'),
  });
  return {
    statement: await signNote(text, [
      { name, key: before },
      { name, key: next },
    ]),
  };
}
const thirdKey = await importSigningKey(digest('third key'));
const rotation = { statement, last: { ...last, index: 0, hashes: [] } };
const followed = {
  rotated_at: '2026-03-02T12:00:00.000Z',
  old_key: trusted,
  new_key: verifierKey(origin, otherKey),
  last_size: last.size,
};
/** A receipt whose checkpoint has these rotations. */
const rotated = async (
  rotations: readonly RotationEvidence[],
  { keys = [otherKey], size = 5 }: { keys?: readonly SigningKey[]; size?: number } = {},
) => {
  const of = leaves.slice(0, size);
  return formatTlogProof({
    extra: utf8(records[2]!.text),
    index: 2,
    inclusion: inclusion(2, of),
    checkpoint: withRotations(await checkpoint(size, root(of), { keys }), rotations),
  });
};
const at2 = { sequence_number: 2 };
const malformed = (name: string, receipt: string | Uint8Array) =>
  failed('not_verifiable', name, receipt, 'RECEIPT_MALFORMED');
const changed = (changes: object) => utf8(canonicalize({ ...JSON.parse(records[3]!.text), ...changes }));

export async function receiptVectors(): Promise<unknown> {
  const later = 'audit.example.com/acme/2';
  const underNew = await rotated([rotation]);
  const backAndForth = [rotation, await rotate(otherKey, logKey), await rotate(logKey, thirdKey)];
  const receipts: ReceiptCase[] = [
    verified('a receipt', good),
    verified('of a later epoch', await signed(utf8(records[3]!.text), { origin: later }), {
      keys: [verifierKey(later, logKey)],
      expect: { verdict: 'recovered' },
    }),
    verified('compared with the same checkpoint', good, { given: [head5] }),
    verified('of another size than a kept checkpoint', good, {
      given: [head3],
      expect: { not_compared: [3] },
    }),
    verified("another tenant's key beside the right one", good, {
      keys: [verifierKey('audit.example.com/other/1', otherKey), trusted],
    }),
    verified('of the key that the trusted key endorsed', underNew, {
      expect: { ...at2, rotations: [followed] },
    }),
    verified('of a rotated log, for a verifier that has only the new key', underNew, {
      keys: [verifierKey(origin, otherKey)],
      expect: at2,
    }),
    verified(
      'of the old key, from before the rotation',
      await rotated([rotation], { keys: [logKey], size: 3 }),
      {
        expect: { ...at2, checkpoint_size: 3, rotations: [followed] },
      },
    ),
    failed(
      'broken',
      'of the old key, from after the rotation',
      await rotated([rotation], { keys: [logKey] }),
      'CHECKPOINT_KEY_RETIRED@2',
      { place: 2 },
    ),
    failed(
      'broken',
      'of the new key, with another root than the rotation names for this size',
      await rotated([{ statement, last: { ...rotation.last, root: digest('other root') } }], { size: 3 }),
      'KEY_ROTATION_INVALID',
      { place: 2 },
    ),
    failed('broken', 'a key with two successors', await rotated(backAndForth), 'KEY_ROTATION_INVALID', {
      place: 2,
    }),
    malformed(
      'a rotation of another log',
      underNew.replaceAll('audit.example.com/acme/1', 'audit.example.org/acme/1'),
    ),
    malformed('a rotation that does not follow the one before', await rotated([rotation, rotation])),
    malformed(
      'a rotation with a wrong key id',
      underNew.replace(
        /(tallystick\/key-rotation\/v1 )(.)/,
        (_, name, first) => `${name}${first === 'A' ? 'B' : 'A'}`,
      ),
    ),
    malformed('nothing after the first line', 'c2sp.org/tlog-proof@v1\n'),
    malformed('no record', good.replace(/^extra .*\n/m, '')),
    malformed('an index with a leading zero', good.replace('index 3', 'index 03')),
    malformed('a checkpoint without its last newline', good.slice(0, -1)),
    malformed('a size with a leading zero', good.replace('\n5\n', '\n05\n')),
    malformed(
      'the checkpoint of another kind of log',
      good.replace('audit.example.com/acme/1\n', 'go.sum database tree\n'),
    ),
    malformed('a byte that is no UTF-8', Uint8Array.from([...utf8(good), 0xff])),
    failed('not_verifiable', 'no key', good, 'CHECKPOINT_UNTRUSTED@3', { keys: [] }),
    failed('not_verifiable', "another tenant's key", good, 'CHECKPOINT_UNTRUSTED@3', {
      keys: [verifierKey('audit.example.com/other/1', logKey)],
    }),
    failed(
      'broken',
      'a forged signature',
      good.replace(head5, () => forge(head5)),
      'CHECKPOINT_SIGNATURE_INVALID@3',
    ),
    failed(
      'broken',
      'an edited record',
      formatTlogProof({
        extra: changed({ ingested_at: '2026-03-01T12:00:09.000Z' }),
        index: 3,
        inclusion: inclusion(3, leaves),
        checkpoint: head5,
      }),
      'CHECKPOINT_ROOT_MISMATCH@3',
    ),
    failed('broken', 'bytes that are no record', await signed(utf8('{}')), 'RECORD_NOT_CANONICAL@3'),
    failed('broken', 'bytes that are no UTF-8', await signed(Uint8Array.of(0xff)), 'RECORD_NOT_CANONICAL@3'),
    failed(
      'broken',
      'a record with a space',
      await signed(utf8(records[3]!.text.replace(':', ': '))),
      'RECORD_NOT_CANONICAL@3',
    ),
    failed('broken', 'a record in another place', await signed(utf8(records[2]!.text)), 'SEQUENCE_GAP@3'),
    failed(
      'broken',
      "another tenant's record",
      await signed(changed({ tenant_id: 'other' })),
      'TENANT_MISMATCH@3',
    ),
    failed(
      'broken',
      "another tenant's event",
      await signed(changed({ event: event(3, { tenant_id: 'other' }) })),
      'TENANT_MISMATCH@3',
    ),
    failed('broken', 'of a fork', good, 'CHECKPOINT_INCONSISTENT@3', {
      given: [await checkpoint(5, root(leavesOf(rewritten)))],
    }),
    failed('broken', 'a kept checkpoint with a forged signature', good, 'CHECKPOINT_SIGNATURE_INVALID@2', {
      given: [forge(head3)],
    }),
  ];
  return {
    description:
      'Receipts by spec/log.md, in base64: verified with the keys given, and compared with the checkpoints given, each has the result given. findings are code@sequence_number, or the code alone where there is no place.',
    receipts,
  };
}
