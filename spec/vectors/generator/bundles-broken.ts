import type { SealedRecord } from '@tallystick/log';
import { BundleCases } from './bundle-case.ts';
import {
  edit,
  head3,
  head5,
  leaves,
  line3,
  pair,
  plain,
  records,
  rewritten,
  rewrittenPair,
  signedAll,
  some,
  someLines,
  step,
  zero,
} from './bundle-parts.ts';
import { linesOf, type Parts, proofLine, recordLine } from './bundle-writer.ts';
import { chain, checkpoint, event, flip, forge, genesis, otherKey, record, time } from './fixture.ts';
import { inclusion, leavesOf, root } from './naive-tree.ts';

/** Bundles that are evidence of tampering. The verifier names each fault and its position. */
const cases = new BundleCases();

const broken = (
  file: string,
  name: string,
  list: readonly SealedRecord[],
  lines: readonly string[],
  findings: readonly string[],
) => cases.failed('broken', file, name, list, lines, findings);
const brokenParts = (file: string, name: string, parts: Parts, findings: readonly string[]) =>
  broken(file, name, parts.records, linesOf(parts), findings);
const mismatch = 'CHECKPOINT_ROOT_MISMATCH@4';

brokenParts('edited', 'an edited record', { ...plain, records: edit(2, 'u-2', 'u-9') }, [
  'CHAIN_LINK_BROKEN@3',
  mismatch,
]);
brokenParts('edited-last', 'an edited last record', { ...plain, records: edit(4, 'u-4', 'u-9') }, [mismatch]);
brokenParts(
  'edited-tail',
  'an edited record beyond the checkpoint',
  { ...plain, checkpoints: [head3], records: edit(3, 'u-3', 'u-9') },
  ['CHAIN_LINK_BROKEN@4'],
);
brokenParts(
  'edited-no-key',
  'an edited record, and no trusted checkpoint either',
  {
    ...plain,
    records: edit(2, 'u-2', 'u-9'),
    checkpoints: [await checkpoint(5, root(leaves), { keys: [otherKey] })],
  },
  ['CHAIN_LINK_BROKEN@3'],
);
brokenParts(
  'not-canonical',
  'a duplicate name that a lax parser does not see',
  { ...plain, records: edit(4, '{"event":{', '{"event":{"actor_id":"u-9",') },
  ['RECORD_NOT_CANONICAL@4', mismatch],
);
brokenParts('deleted', 'a deleted record', { ...plain, records: records.toSpliced(2, 1) }, [
  'SEQUENCE_GAP@3',
  mismatch,
]);
brokenParts('deleted-genesis', 'a deleted genesis', { ...plain, records: records.slice(1) }, [
  'SEQUENCE_GAP@1',
  mismatch,
]);
brokenParts('tail-cut', 'the tail cut off', { ...plain, records: records.slice(0, 3) }, ['HEAD_MISMATCH@3']);
brokenParts('emptied', 'every record taken out', { ...plain, records: [] }, ['HEAD_MISMATCH@0']);
brokenParts('repeated', 'a record twice', { ...plain, records: records.toSpliced(3, 0, records[2]!) }, [
  'SEQUENCE_DUPLICATE@2',
  mismatch,
]);
brokenParts(
  'swapped',
  'two records swapped',
  { ...plain, records: records.with(2, records[3]!).with(3, records[2]!) },
  ['SEQUENCE_GAP@3', 'SEQUENCE_DUPLICATE@2', 'TIME_REGRESSION@2', 'SEQUENCE_GAP@4', mismatch],
);
brokenParts(
  'rewritten-old-checkpoint',
  'a chain rewritten under the genuine checkpoint',
  { ...plain, records: rewritten },
  [mismatch],
);
brokenParts(
  'rewritten-older-checkpoint',
  'a chain that an older checkpoint contradicts',
  { ...(await signedAll(rewritten)), checkpoints: [(await signedAll(rewritten)).checkpoints[0]!, head3] },
  ['CHECKPOINT_ROOT_MISMATCH@2'],
);
brokenParts(
  'forged-signature',
  'a wrong signature under a trusted key',
  { ...pair, checkpoints: [forge(pair.checkpoints[0]!)] },
  ['CHECKPOINT_SIGNATURE_INVALID@1'],
);
brokenParts(
  'raised-size',
  'a checkpoint whose size was raised',
  { ...pair, checkpoints: [pair.checkpoints[0]!.replace('\n2\n', '\n3\n')] },
  ['CHECKPOINT_SIGNATURE_INVALID@2'],
);
brokenParts(
  'forked',
  'two roots signed for one size',
  { ...pair, checkpoints: [pair.checkpoints[0]!, await checkpoint(2, root(leavesOf(rewrittenPair)))] },
  ['CHECKPOINT_INCONSISTENT@1', 'CHECKPOINT_ROOT_MISMATCH@1'],
);
brokenParts(
  'some-inconsistent',
  'a consistency proof that does not hold',
  {
    ...some,
    checkpoints: [head5, await checkpoint(3, root(leavesOf(rewritten).slice(0, 3)))],
    between: [step],
  },
  ['CHECKPOINT_INCONSISTENT@4'],
);
brokenParts(
  'broken-link',
  'a broken link that the log has signed',
  await signedAll(chain(3, { 2: { previousHash: zero } })),
  ['CHAIN_LINK_BROKEN@2'],
);
brokenParts(
  'other-tenant',
  "another tenant's record in the chain",
  await signedAll(chain(3, { 2: { event: event(2, { tenant_id: 'other' }) } })),
  ['TENANT_MISMATCH@2'],
);
brokenParts(
  'time-regression',
  'a clock set back',
  await signedAll(chain(3, { 2: { ingestedAt: time(0) } })),
  ['TIME_REGRESSION@2'],
);
brokenParts(
  'second-genesis',
  'a second genesis',
  await signedAll(chain(3, { 2: { event: event(2, { event_type: 'system.genesis' }) } })),
  ['GENESIS_INVALID@2'],
);
brokenParts(
  'other-genesis',
  "another log's genesis",
  await signedAll(chain(2, {}, genesis({ origin: 'evil.example/acme/1' }))),
  ['GENESIS_INVALID@0'],
);
brokenParts('no-genesis', 'a chain without a genesis', await signedAll([record(0, zero)]), [
  'GENESIS_INVALID@0',
]);
brokenParts(
  'some-no-genesis',
  'some records, and the first of the chain is no genesis',
  { ...(await signedAll([record(0, zero)])), complete: false, leaves: leavesOf([record(0, zero)]) },
  ['GENESIS_INVALID@0'],
);

const edited3 = edit(3, 'u-3', 'u-9')[3]!;
broken(
  'some-edited',
  'an edited record among some',
  [records[1]!, edited3, records[4]!],
  someLines.with(line3, recordLine(edited3.text)),
  ['CHECKPOINT_ROOT_MISMATCH@3', 'CHAIN_LINK_BROKEN@4'],
);
broken(
  'some-other-proof',
  'a proof with a changed hash',
  some.records,
  someLines.with(line3 + 1, proofLine(3, inclusion(3, leaves).with(0, flip(leaves[0]!)))),
  ['CHECKPOINT_ROOT_MISMATCH@3'],
);
broken(
  'some-moved',
  "a record under another one's position",
  [records[3]!],
  [...someLines.slice(0, 2), recordLine(records[3]!.text), proofLine(2, inclusion(2, leaves))],
  ['SEQUENCE_GAP@2', mismatch.replace('4', '2')],
);
broken(
  'some-outside',
  'a proof of a leaf outside the tree',
  [records[3]!],
  [...someLines.slice(0, 2), recordLine(records[3]!.text), proofLine(5, inclusion(3, leaves))],
  ['SEQUENCE_GAP@5', 'CHECKPOINT_ROOT_MISMATCH@5'],
);
broken(
  'some-repeated',
  'a record twice',
  [records[1]!, records[1]!],
  [...someLines.slice(0, 4), ...someLines.slice(2, 4)],
  ['SEQUENCE_DUPLICATE@1'],
);

export const brokenBundles = cases.cases;
