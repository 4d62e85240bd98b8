import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatTlogProof, sha256, toHex } from '@tallystick/log';
import { describe, expect, test } from 'vitest';
import { head3, head5, leaves, records, rewritten } from '../../../spec/vectors/generator/bundle-parts.ts';
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
import { places, utf8 } from './fixture.ts';

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

const malformed = {
  verdict: 'not_verifiable',
  sequence_number: null,
  record_hash: null,
  findings: [{ code: 'RECEIPT_MALFORMED', sequence_number: null }],
};

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
  expect(await verifyReceipt(bare, { keys: [trusted] })).toMatchObject(malformed);
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

test.each([
  '',
  'c2sp.org/tlog-proof@v1\n',
  receiptOf().replace('index 3', 'index 03'),
  receiptOf().slice(0, -1),
  receiptOf().replace('acme/1\n5\n', 'acme/1\n05\n'),
  receiptOf().replace('audit.example.com/acme/1\n', 'go.sum database tree\n'),
  Uint8Array.from([...utf8(receiptOf()), 0xff]),
])('what is no receipt is not verifiable: %j', async (receipt) => {
  expect(await verifyReceipt(receipt, { keys: [trusted] })).toMatchObject(malformed);
});

test('bytes that are not UTF-8 are a leaf, but no record', async () => {
  const extra = Uint8Array.from(utf8(records[3]!.text), (byte) => (byte === 0x75 ? 0xff : byte));
  const hash = sha256(extra);
  const of = leavesOf([...records.slice(0, 3), { hash }, records[4]!]);
  const checkpointOf = await checkpoint(5, root(of));
  const receipt = formatTlogProof({ extra, index: 3, inclusion: inclusion(3, of), checkpoint: checkpointOf });
  expect(await verifyReceipt(receipt, { keys: [trusted] })).toMatchObject({
    verdict: 'broken',
    record_hash: toHex(hash),
    findings: [{ code: 'RECORD_NOT_CANONICAL', sequence_number: 3 }],
  });
});

test('the receipt of a later epoch is of a recovered trail', async () => {
  const own = 'audit.example.com/acme/2';
  const of = leavesOf(records);
  const note = await checkpoint(5, root(of), { origin: own });
  expect(await verifyReceipt(receiptOf({ note }), { keys: [verifierKey(own, logKey)] })).toMatchObject({
    verdict: 'recovered',
  });
});

describe('with checkpoints that the caller kept', () => {
  const rewrittenLeaves = leavesOf(rewritten);
  test('one of the same size must have the same root', async () => {
    const fork = await checkpoint(5, root(rewrittenLeaves));
    const notes: string[][] = [];
    const report = await verifyReceipt(receiptOf(), {
      keys: [trusted],
      checkpoints: [fork],
      onEquivocation: (...pair) => notes.push(pair),
    });
    expect(report).toMatchObject({ verdict: 'broken', findings: [{ code: 'CHECKPOINT_INCONSISTENT' }] });
    expect(notes).toEqual([[fork, head5]]);
  });

  test('one of another size is not compared, a forged one is a finding, an unsigned one is refused', async () => {
    const options = { keys: [trusted] };
    expect(await verifyReceipt(receiptOf(), { ...options, checkpoints: [head3, head5] })).toMatchObject({
      verdict: 'verified',
      not_compared: [3],
    });
    expect(await verifyReceipt(receiptOf(), { ...options, checkpoints: [forge(head3)] })).toMatchObject({
      verdict: 'broken',
      findings: [{ code: 'CHECKPOINT_SIGNATURE_INVALID', sequence_number: 2 }],
    });
    const foreignNote = await checkpoint(5, root(leaves), { keys: [otherKey] });
    await expect(
      verifyReceipt(receiptOf(), { ...options, checkpoints: [foreignNote] }),
    ).rejects.toMatchObject({
      code: 'NOTE_UNVERIFIED',
    });
  });
});

describe('receipts.json', () => {
  const { receipts } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../spec/vectors/receipts.json'), 'utf8'),
  ) as { receipts: { name: string; receipt: string; keys: string[]; given?: string[]; expect: object }[] };
  test.each(receipts.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const bytes = Buffer.from(one.receipt, 'base64');
    const report = await verifyReceipt(bytes, { keys: one.keys, checkpoints: one.given ?? [] });
    expect({ ...report, findings: [...new Set(places(report))] }).toMatchObject(one.expect);
  });
});
