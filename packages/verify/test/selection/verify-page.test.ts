import {
  flattenRecord,
  parseVerifierKey,
  readRecord,
  type SealedRecord,
  sha256,
  toHex,
} from '@tallystick/log';
import { expect, test } from 'vitest';
import {
  base64,
  chain,
  checkpoint,
  event,
  flip,
  forge,
  origin,
  otherKey,
  trusted,
  verifierKey,
} from '../../../../spec/vectors/generator/fixture.ts';
import { leavesOf, multiproof, root } from '../../../../spec/vectors/generator/naive-tree.ts';
import { type PageEvidence, type SelectionOptions, type ShownEvent, verifyPage } from '../../src/index.ts';
import { places } from '../fixture.ts';

const records = chain(20);
const leaves = leavesOf(records);
const key = parseVerifierKey(trusted);

/** An event as the service shows it. */
const viewOf = ({ text, hashHex }: SealedRecord): ShownEvent => ({
  ...flattenRecord(readRecord(text), hashHex),
  epoch: 1,
  record: text,
});
const viewsAt = (indexes: readonly number[], of = records) => indexes.map((index) => viewOf(of[index]!));

/** Evidence for records of a tree with the first `size` leaves. */
async function evidence(indexes: readonly number[], size = 16, of = leaves): Promise<PageEvidence> {
  const tree = of.slice(0, size);
  return {
    origin,
    checkpoint: await checkpoint(size, root(tree)),
    hashes: multiproof(indexes, tree).map(base64),
  };
}

const page = [2, 3, 7, 11];
const verify = (
  events: readonly ShownEvent[],
  proof: PageEvidence,
  options: Partial<SelectionOptions & { matches: (record: unknown) => boolean }> = {},
) => verifyPage(events, proof, { keys: [key], ...options });

test('records of a page, in any order, are proven by one checkpoint; omissions are not covered', async () => {
  const report = await verify(viewsAt([...page].reverse()), await evidence(page));
  expect(report).toEqual({
    verdict: 'verified_selection',
    tenant_id: 'acme',
    records: 4,
    verified: 4,
    hash_only: 0,
    newer_than_checkpoint: 0,
    in_other_epochs: 0,
    omissions: 'not covered',
    checkpoint_size: 16,
    trust: { source: 'given', keys: [trusted] },
    findings: [],
  });
});

test('records after the checkpoint, and of another epoch, are counted and not verified', async () => {
  const events = [...viewsAt([...page, 16, 19]), { ...viewOf(records[4]!), epoch: 2 }];
  const report = await verify(events, await evidence(page));
  expect(report).toMatchObject({
    verdict: 'verified_selection',
    records: 7,
    verified: 4,
    newer_than_checkpoint: 2,
    in_other_epochs: 1,
  });
  const only = await verify(viewsAt([16]), { ...(await evidence(page)), hashes: [] });
  expect([only.verdict, ...places(only)]).toEqual(['not_verifiable', 'NOTHING_COVERED']);
  const none = await verify([], { ...(await evidence(page)), hashes: [] });
  expect(none.verdict).toBe('not_verifiable');
});

test('a record that the reader may not see is proven by its hash', async () => {
  const { record: _, event_type: __, ...identity } = viewOf(records[7]!);
  const { tenant_id, epoch, sequence_number, record_hash } = identity;
  const hidden = { tenant_id, epoch, sequence_number, record_hash, redacted: true };
  const events = [...viewsAt([2, 3, 11]), hidden];
  const report = await verify(events, await evidence(page));
  expect(report).toMatchObject({ verdict: 'verified_selection', verified: 3, hash_only: 1 });
  const forged = await verify(
    [...viewsAt([2, 3, 11]), { ...hidden, record_hash: records[8]!.hashHex }],
    await evidence(page),
  );
  expect(places(forged)).toEqual(['CHECKPOINT_ROOT_MISMATCH@15']);
  const bare = await verify(
    [...viewsAt([2, 3, 11]), { ...hidden, redacted: undefined }],
    await evidence(page),
  );
  expect(places(bare)).toEqual(['LIST_MISMATCH@7']);
  const hashless = await verify(
    [...viewsAt([2, 3, 11]), { ...hidden, record_hash: 'x' }],
    await evidence(page),
  );
  expect(hashless.verdict).toBe('broken');
});

test('a service can put no words beside the hash of a genuine record', async () => {
  const { record: _, ...shown } = viewOf(records[7]!);
  const words = { ...shown, action_type: 'approved by the board' };
  const { tenant_id, epoch, sequence_number, record_hash, previous_hash } = shown;
  const place = { tenant_id, epoch, sequence_number, record_hash, redacted: true };
  for (const [event, found] of [
    // Neither the mark nor the bytes: `null` counted as bytes that were judged already.
    [{ ...words, record: null }, 'LIST_MISMATCH@7'],
    [{ ...words, record: null, redacted: true }, 'LIST_MISMATCH@7'],
    [{ ...words, record: 7 }, 'LIST_MISMATCH@7'],
    // Marked as withheld, and yet with content.
    [{ ...words, redacted: true }, 'LIST_MISMATCH@7'],
    [{ ...place, comment: 'x' }, 'LIST_MISMATCH@7'],
    [{ ...place, audit_id: 'approved by the board' }, 'LIST_MISMATCH@7'],
    [{ ...place, ingested_at: 'never' }, 'LIST_MISMATCH@7'],
    [{ ...place, tenant_id: 'globex' }, 'TENANT_MISMATCH@7'],
  ] as const) {
    const report = await verify([...viewsAt([2, 3, 11]), event], await evidence(page));
    expect([report.verdict, ...places(report)]).toEqual(['broken', found]);
  }
  const next = [2, 6, 7];
  const linked = async (previous: unknown) =>
    await verify([...viewsAt([2, 6]), { ...place, previous_hash: previous }], await evidence(next));
  expect((await linked(previous_hash)).verdict).toBe('verified_selection');
  expect(places(await linked(record_hash))).toEqual(['CHAIN_LINK_BROKEN@7']);
});

/** A record with another event, as a forger would write it: canonical, and with the hash of its bytes. */
const forged = chain(20, { 7: { event: event(7, { actor_id: 'mallory' }) } });

const crimes: readonly [
  name: string,
  change: (events: ShownEvent[], proof: PageEvidence) => [ShownEvent[], PageEvidence],
  found: string[],
][] = [
  [
    'a rewritten record',
    (events, proof) => [events.with(2, viewOf(forged[7]!)), proof],
    ['CHECKPOINT_ROOT_MISMATCH@15'],
  ],
  [
    'a rewritten record with the hash of the genuine one',
    (events, proof) => [events.with(2, { ...viewOf(forged[7]!), record_hash: records[7]!.hashHex }), proof],
    ['RECORD_HASH_MISMATCH@7', 'CHECKPOINT_ROOT_MISMATCH@15'],
  ],
  [
    'a view that differs from its bytes',
    (events, proof) => [events.with(2, { ...events[2], actor_id: 'u-8' }), proof],
    ['LIST_MISMATCH@7'],
  ],
  [
    'a member that the bytes lack',
    (events, proof) => [events.with(2, { ...events[2], comment: 'x' }), proof],
    ['LIST_MISMATCH@7'],
  ],
  [
    'a member less',
    (events, proof) => [events.with(2, { ...events[2], actor_id: undefined }), proof],
    ['LIST_MISMATCH@7'],
  ],
  ['a record twice', (events, proof) => [[...events, events[2]!], proof], ['SEQUENCE_DUPLICATE@7']],
  [
    'a record at another place',
    (events, proof) => [events.with(2, { ...events[2], sequence_number: 8 }), proof],
    ['SEQUENCE_GAP@8', 'CHECKPOINT_ROOT_MISMATCH@15'],
  ],
  [
    'a record taken out, the proof left',
    (events, proof) => [events.toSpliced(2, 1), proof],
    ['CHECKPOINT_ROOT_MISMATCH@15'],
  ],
  [
    'a record without its bytes',
    (events, proof) => [events.with(2, { ...events[2], record: undefined }), proof],
    ['LIST_MISMATCH@7'],
  ],
  [
    'bytes that are not canonical',
    (events, proof) => [events.with(2, { ...events[2], record: ` ${String(events[2]!.record)}` }), proof],
    ['RECORD_HASH_MISMATCH@7', 'RECORD_NOT_CANONICAL@7', 'CHECKPOINT_ROOT_MISMATCH@15'],
  ],
  ['an event without a place', (events, proof) => [[...events, { epoch: 1 }], proof], ['LIST_MISMATCH']],
  [
    'a hash less',
    (events, proof) => [events, { ...proof, hashes: proof.hashes.slice(1) }],
    ['CHECKPOINT_ROOT_MISMATCH@15'],
  ],
  [
    'a hash more',
    (events, proof) => [events, { ...proof, hashes: [...proof.hashes, proof.hashes[0]!] }],
    ['CHECKPOINT_ROOT_MISMATCH@15'],
  ],
  [
    'a hash that is not base64',
    (events, proof) => [events, { ...proof, hashes: proof.hashes.with(0, '!') }],
    ['CHECKPOINT_ROOT_MISMATCH@15'],
  ],
  [
    'a forged signature',
    (events, proof) => [events, { ...proof, checkpoint: forge(proof.checkpoint) }],
    ['CHECKPOINT_SIGNATURE_INVALID@15'],
  ],
];

test.each(crimes)('broken: %s', async (_, change, found) => {
  const [events, proof] = change(viewsAt(page), await evidence(page));
  const report = await verify(events, proof);
  expect([report.verdict, ...places(report)]).toEqual(['broken', ...found]);
});

test('neighbours must be linked, and later records must not be older', async () => {
  const unlinked = chain(20, { 3: { previousHash: toHex(sha256(flip(new Uint8Array(32)))) } });
  const found = await verify(viewsAt(page, unlinked), await evidence(page, 16, leavesOf(unlinked)));
  expect(places(found)).toEqual(['CHAIN_LINK_BROKEN@3']);
  const older = chain(20, { 7: { ingestedAt: '2026-03-01T12:00:01.000Z' } });
  const late = await verify(viewsAt(page, older), await evidence(page, 16, leavesOf(older)));
  expect(places(late)).toEqual(['TIME_REGRESSION@7']);
});

test('records of another tenant are found although the tree has them', async () => {
  const foreign = chain(20, { 7: { tenantId: 'globex', event: event(7, { tenant_id: 'globex' }) } });
  const report = await verify(viewsAt(page, foreign), await evidence(page, 16, leavesOf(foreign)));
  expect(places(report)).toEqual(['TENANT_MISMATCH@7']);
});

test('an event that was not asked for is found', async () => {
  const matches = (record: { sequence_number: number }) => record.sequence_number !== 7;
  const report = await verifyPage(viewsAt(page), await evidence(page), { keys: [key], matches });
  expect(places(report)).toEqual(['LIST_MISMATCH@7']);
});

test('without a trusted key nothing is verified', async () => {
  for (const keys of [
    [],
    [parseVerifierKey(verifierKey(origin, otherKey))],
    [parseVerifierKey(verifierKey('audit.example.com/globex/1', otherKey))],
  ]) {
    const report = await verify(viewsAt(page), await evidence(page), { keys });
    expect([report.verdict, ...places(report)]).toEqual(['not_verifiable', 'CHECKPOINT_UNTRUSTED@15']);
  }
});

test('what the caller kept must agree, and a running service must reach as far', async () => {
  const kept = async (size: number, of = leaves) => [await checkpoint(size, root(of.slice(0, size)))];
  const same = await verify(viewsAt(page), await evidence(page), { kept: await kept(16) });
  expect([same.verdict, same.not_compared]).toEqual(['verified_selection', undefined]);
  const saved: string[][] = [];
  const fork = await verify(viewsAt(page), await evidence(page), {
    kept: await kept(16, leavesOf(forged)),
    onEquivocation: (...notes) => saved.push(notes),
  });
  expect([fork.verdict, ...places(fork)]).toEqual(['broken', 'CHECKPOINT_INCONSISTENT@15']);
  expect(saved).toHaveLength(1);
  const longer = await verify(viewsAt(page), await evidence(page), { kept: await kept(20) });
  expect([longer.verdict, longer.not_compared]).toEqual(['verified_selection', [20]]);
  const live = await verify(viewsAt(page), await evidence(page), { kept: await kept(20), mustReach: true });
  expect([live.verdict, ...places(live)]).toEqual(['broken', 'HEAD_MISMATCH@19']);
});

test('evidence of another log than it names is refused', async () => {
  const proof = { ...(await evidence(page)), origin: 'audit.example.com/globex/1' };
  await expect(verify(viewsAt(page), proof)).rejects.toMatchObject({ code: 'CHECKPOINT_MALFORMED' });
});
