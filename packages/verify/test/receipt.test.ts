import { formatTlogProof } from '@tallystick/log';
import { expect, test } from 'vitest';
import { head5, leaves, records } from '../../../spec/vectors/generator/bundle-parts.ts';
import {
  chain,
  checkpoint,
  event,
  forge,
  logKey,
  otherKey,
  trusted,
  verifierKey,
} from '../../../spec/vectors/generator/fixture.ts';
import { inclusion, leavesOf, root } from '../../../spec/vectors/generator/naive-tree.ts';
import { verifyReceipt } from '../src/index.ts';
import { utf8 } from './fixture.ts';

interface Changes {
  readonly text?: string;
  readonly index?: number;
  readonly note?: string;
  readonly of?: readonly Uint8Array[];
}

/** The receipt of record 3, or of something like it. */
const receiptOf = ({ text = records[3]!.text, index = 3, note = head5, of = leaves }: Changes = {}) =>
  formatTlogProof({ extra: utf8(text), index, inclusion: inclusion(3, of), checkpoint: note });

/** A receipt whose signature and proof are in order, of a leaf that is not what it should be. */
async function signedLeaf(text: string, index = 3): Promise<string> {
  const { createHash } = await import('node:crypto');
  const hash = new Uint8Array(createHash('sha256').update(text).digest());
  const of = leavesOf([...records.slice(0, 3), { hash }, records[4]!]);
  return receiptOf({ text, index, of, note: await checkpoint(5, root(of)) });
}

test('verified: with the record in it, or beside it', async () => {
  const expected = {
    verdict: 'verified',
    tenant_id: 'acme',
    sequence_number: 3,
    record_hash: records[3]!.hashHex,
    checkpoint_size: 5,
    trust: { source: 'given' },
    findings: [],
    record: { sequence_number: 3, tenant_id: 'acme' },
  };
  expect(await verifyReceipt(receiptOf(), { keys: [trusted] })).toMatchObject(expected);
  const bare = formatTlogProof({ index: 3, inclusion: inclusion(3, leaves), checkpoint: head5 });
  const recordText = records[3]!.text;
  expect(await verifyReceipt(bare, { keys: [trusted], recordText, trust: 'pinned' })).toMatchObject({
    ...expected,
    trust: { source: 'pinned' },
  });
  await expect(verifyReceipt(bare, { keys: [trusted] })).rejects.toMatchObject({ code: 'PROOF_MALFORMED' });
});

const foreign = chain(5, { 3: { tenantId: 'globex', event: event(3, { tenant_id: 'globex' }) } })[3]!.text;

test.each([
  ['no key', receiptOf(), [], 'not_verifiable', 'CHECKPOINT_UNTRUSTED'],
  [
    'another key',
    receiptOf(),
    [verifierKey('audit.example.com/acme/1', otherKey)],
    'not_verifiable',
    'CHECKPOINT_UNTRUSTED',
  ],
  [
    'the key under another name',
    receiptOf(),
    [verifierKey('audit.example.com/x/1', logKey)],
    'not_verifiable',
    'CHECKPOINT_UNTRUSTED',
  ],
  [
    'a forged signature',
    receiptOf({ note: forge(head5) }),
    [trusted],
    'broken',
    'CHECKPOINT_SIGNATURE_INVALID',
  ],
  [
    'an edited record',
    receiptOf({ text: records[3]!.text.replace('u-3', 'u-4') }),
    [trusted],
    'broken',
    'CHECKPOINT_ROOT_MISMATCH',
  ],
  [
    'the proof of another record',
    receiptOf({ text: records[2]!.text }),
    [trusted],
    'broken',
    'CHECKPOINT_ROOT_MISMATCH',
  ],
  ['another index', receiptOf({ index: 2 }), [trusted], 'broken', 'CHECKPOINT_ROOT_MISMATCH'],
  ['an index outside the tree', receiptOf({ index: 5 }), [trusted], 'broken', 'CHECKPOINT_ROOT_MISMATCH'],
  ['a signed leaf that is no record', await signedLeaf('{}'), [trusted], 'broken', 'RECORD_NOT_CANONICAL'],
  [
    'a signed leaf that is not canonical',
    await signedLeaf(records[3]!.text.replace(':', ': ')),
    [trusted],
    'broken',
    'RECORD_NOT_CANONICAL',
  ],
  ['a signed leaf in another place', await signedLeaf(records[2]!.text), [trusted], 'broken', 'SEQUENCE_GAP'],
  ["a signed leaf of another tenant's", await signedLeaf(foreign), [trusted], 'broken', 'TENANT_MISMATCH'],
] as const)('%s', async (_, receipt, keys, verdict, code) => {
  const report = await verifyReceipt(receipt, { keys });
  expect(report).toMatchObject({ verdict, findings: [{ code }], tenant_id: null, checkpoint_size: null });
  expect(report.record).toBeUndefined();
});

test.each(['', 'c2sp.org/tlog-proof@v1\n', receiptOf().replace('index 3', 'index 03')])(
  'what is no receipt is refused: %j',
  async (text) => {
    await expect(verifyReceipt(text, { keys: [trusted] })).rejects.toMatchObject({ code: 'PROOF_MALFORMED' });
  },
);
