import { chain, checkpoint, event, forge, tenant } from './fixture.ts';
import { leavesOf, root } from './naive-tree.ts';
import { type SelectionCase, selectionCase } from './selection-case.ts';
import {
  covered,
  filesOf,
  head,
  identity,
  lineOf,
  manifestOf,
  proofOf,
  records,
  type SelectionFiles,
  selected,
  tableHead,
  withheldLine,
} from './selection-parts.ts';

const plain = filesOf(selected);
const cases: SelectionCase[] = [];
const broken = (
  file: string,
  name: string,
  files: SelectionFiles,
  findings: readonly string[],
  changes: Partial<Extract<SelectionCase['expect'], { verdict: string }>> = {},
  given?: readonly string[],
) => {
  cases.push(
    selectionCase(file, name, files, 'broken', { findings, ...changes }, { ...(given && { given }) }),
  );
};

/** Lines of the table, with their ends. The first has the names of the columns. */
const lines = plain['events.csv'].split(/(?<=\r\n)/);
const table = (changed: readonly string[]): SelectionFiles => ({ ...plain, 'events.csv': changed.join('') });
broken(
  'line-changed',
  'a line that says something else than its record',
  table(lines.with(1, lines[1]!.replace('u-2', 'u-3'))),
  ['LINE_CHANGED@2'],
);
broken(
  'line-formula',
  'a line without the apostrophe before a formula',
  table(lines.with(2, lines[2]!.replace("'=cmd", '=cmd'))),
  ['LINE_CHANGED@5'],
);
broken(
  'line-unclaimed',
  'a line that does not say that a client claimed it',
  table(lines.with(3, lines[3]!.replace('claimed', ''))),
  ['LINE_CHANGED@6'],
);
broken('line-end', 'a line that ends without U+000D', table(lines.with(1, lines[1]!.replace('\r', ''))), [
  'LINE_CHANGED@2',
]);
broken('line-missing', 'a line less', table(lines.toSpliced(3, 1)), ['LINE_MISSING@6']);
broken('line-missing-last', 'the last line less', table(lines.slice(0, -1)), ['LINE_MISSING@8']);
broken(
  'line-added',
  'a line of a record that is not in the file',
  table(lines.toSpliced(3, 0, lineOf(records[4]!))),
  ['LINE_ADDED@4'],
);
broken(
  'line-added-between',
  'a line of a record between two others',
  table(lines.toSpliced(4, 0, lineOf(records[7]!))),
  ['LINE_ADDED@7'],
);
broken('line-twice', 'a line twice', table(lines.toSpliced(3, 0, lines[3]!)), ['LINE_ADDED@6']);
broken(
  'line-of-words',
  'a line without a place, and one of an epoch that is too high',
  table([...lines, 'x\r\n', '2147483648,1,\r\n']),
  ['LINE_ADDED'],
);
broken('lines-swapped', 'two lines swapped', table(lines.with(2, lines[3]!).with(3, lines[2]!)), [
  'LINE_MISSING@5',
  'LINE_ADDED@5',
]);
broken('no-columns', 'a table without the names of the columns', table(lines.slice(1)), ['LINE_MISSING']);
broken(
  'other-columns',
  'other names of columns',
  table(lines.with(0, tableHead.replace('actor_id', 'target'))),
  ['LINE_CHANGED'],
);
broken('empty-table', 'an empty table', table([]), [
  'LINE_MISSING',
  ...selected.map((at) => `LINE_MISSING@${at}`),
]);

const proof = plain['multiproof.txt'].split(/(?<=\n)/).slice(0, -1);
const rootMismatch = [`CHECKPOINT_ROOT_MISMATCH@${covered - 1}`];
const proofWith = (hashes: readonly string[]): SelectionFiles => ({
  ...plain,
  'multiproof.txt': hashes.join(''),
});
broken('proof-less', 'a hash of the proof less', proofWith(proof.slice(0, -1)), rootMismatch);
broken('proof-more', 'a hash of the proof more', proofWith([...proof, proof[0]!]), rootMismatch);
broken('proof-other', 'another hash in the proof', proofWith(proof.with(1, proof[0]!)), rootMismatch);
broken('proof-malformed', 'a hash that is not base64', proofWith(proof.with(0, 'x\n')), rootMismatch);
broken(
  'proof-without-records',
  'a proof without records',
  { ...filesOf([]), 'multiproof.txt': proof[0]! },
  rootMismatch,
  {
    records: 0,
    verified: 0,
  },
);

const rewritten = chain(10, { 2: { event: event(2, { actor_id: 'mallory' }) } });
const ofForger = filesOf(selected, records.with(2, rewritten[2]!));
broken('record-changed', 'a record that was changed, with its line', ofForger, rootMismatch);
broken(
  'record-missing',
  'a record that was taken out of all files but the proof',
  {
    ...filesOf([2, 6, 8]),
    'multiproof.txt': plain['multiproof.txt'],
  },
  rootMismatch,
  { records: 3, verified: 3 },
);
broken(
  'record-added',
  'a record that was added to all files but the proof',
  {
    ...filesOf([2, 4, 5, 6, 8]),
    'multiproof.txt': plain['multiproof.txt'],
  },
  rootMismatch,
  { records: 5, verified: 5 },
);
broken(
  'record-twice',
  'a record twice',
  {
    ...filesOf([2, 5, 5, 6, 8]),
    'multiproof.txt': plain['multiproof.txt'],
  },
  ['SEQUENCE_DUPLICATE@5'],
  { records: 5 },
);
broken(
  'record-not-canonical',
  'a record with a space',
  {
    ...plain,
    'records.jsonl': plain['records.jsonl'].replace('{"event"', '{ "event"'),
  },
  ['RECORD_NOT_CANONICAL', 'LINE_ADDED@2'],
  { verified: 3 },
);
broken(
  'record-is-a-word',
  'a line that is no record at all',
  {
    ...plain,
    'records.jsonl': `nothing\n${plain['records.jsonl'].split('\n').slice(1).join('\n')}`,
  },
  ['RECORD_NOT_CANONICAL', 'LINE_ADDED@2'],
  { verified: 3 },
);

/** Two consecutive records, with the proof and the table that a forger makes for them. */
async function forged(change: Parameters<typeof chain>[1]): Promise<SelectionFiles> {
  const list = chain(10, change);
  const tree = leavesOf(list).slice(0, covered);
  const files = filesOf([2, 3], list);
  return {
    ...files,
    'multiproof.txt': proofOf([2, 3], tree),
    checkpoint: await checkpoint(covered, root(tree)),
  };
}
const two = { records: 2, verified: 2 };
broken(
  'other-tenant',
  'a record of another tenant',
  await forged({
    3: { tenantId: 'globex', event: { ...event(3), tenant_id: 'globex' } },
  }),
  ['TENANT_MISMATCH@3'],
  two,
);
broken(
  'other-tenant-inside',
  'a record whose event is of another tenant',
  await forged({
    3: { event: { ...event(3), tenant_id: 'globex' } },
  }),
  ['TENANT_MISMATCH@3'],
  two,
);
broken(
  'other-tenant-list',
  'a record whose event names its tenant in a list',
  await forged({
    3: { event: { ...event(3), tenant_id: [tenant] } },
  }),
  ['TENANT_MISMATCH@3'],
  two,
);
broken(
  'broken-link',
  'a record that does not name the one before it',
  await forged({
    3: { previousHash: '0'.repeat(64), event: event(3, { tenant_id: tenant }) },
  }),
  ['CHAIN_LINK_BROKEN@3'],
  two,
);
broken(
  'time-regression',
  'a record that is older than the one before it',
  await forged({
    3: { ingestedAt: '2026-03-01T12:00:01.000Z' },
  }),
  ['TIME_REGRESSION@3'],
  two,
);

/** The selection with record 6 withheld, and what is shown of it. */
const withheld = (shown: object, note: string): SelectionFiles => ({
  ...plain,
  'records.jsonl': plain['records.jsonl'].replace(records[6]!.text, JSON.stringify({ withheld: shown })),
  'events.csv': plain['events.csv'].replace(lineOf(records[6]!), withheldLine(shown, note)),
});
const oneWithheld = { verified: 3, hash_only: 1 };
const unread = ['RECORD_NOT_CANONICAL', 'LINE_ADDED@6'];
broken(
  'withheld-damaged',
  'a record that the service calls damaged',
  withheld(identity(6, { damaged: true }), 'damaged'),
  ['RECORD_NOT_CANONICAL@6'],
  oneWithheld,
);
broken(
  'withheld-no-marker',
  'a record without bytes that is not marked as withheld',
  withheld(identity(6, {}), ''),
  unread,
  { verified: 3 },
);
broken(
  'withheld-words',
  'words beside the hash of a withheld record',
  withheld(identity(6, { redacted: true, actor_id: 'ann' }), 'redacted'),
  unread,
  { verified: 3 },
);
broken(
  'withheld-false',
  'a mark that is not true',
  withheld(identity(6, { redacted: true, is_sensitive: false }), 'redacted'),
  unread,
  { verified: 3 },
);
broken(
  'withheld-spaces',
  'a withheld record with a space',
  {
    ...withheld(identity(6, { redacted: true }), 'redacted'),
    'records.jsonl': plain['records.jsonl'].replace(
      records[6]!.text,
      `{"withheld": ${JSON.stringify(identity(6, { redacted: true }))}}`,
    ),
  },
  unread,
  { verified: 3 },
);
broken(
  'withheld-other-hash',
  'another hash of a withheld record',
  withheld(identity(6, { redacted: true, record_hash: records[4]!.hashHex }), 'redacted'),
  rootMismatch,
  oneWithheld,
);
broken(
  'withheld-other-tenant',
  'a withheld record of another tenant',
  withheld(identity(6, { redacted: true, tenant_id: 'globex' }), 'redacted'),
  ['TENANT_MISMATCH@6'],
  oneWithheld,
);
broken(
  'withheld-other-link',
  'a withheld record that names another record before it',
  withheld(identity(6, { redacted: true, previous_hash: records[4]!.hashHex }), 'redacted'),
  ['CHAIN_LINK_BROKEN@6'],
  oneWithheld,
);
broken(
  'withheld-other-epoch',
  'a withheld record of another epoch than its line',
  {
    ...withheld(identity(6, { redacted: true, epoch: 2 }), 'redacted'),
    'events.csv': table(lines.toSpliced(3, 1))['events.csv'],
  },
  ['MANIFEST_MISMATCH@6'],
  oneWithheld,
);

broken(
  'beyond-checkpoint',
  'a record after the last one of the checkpoint',
  {
    ...filesOf([...selected, 9]),
    'multiproof.txt': plain['multiproof.txt'],
  },
  ['MANIFEST_MISMATCH@9'],
  { records: 5, newer_than_checkpoint: 1 },
);
broken(
  'epoch-beyond',
  'a record of an epoch after that of the checkpoint',
  {
    ...plain,
    manifest: manifestOf([
      [1, 4],
      [2, 1],
    ]),
    'records.jsonl': `${plain['records.jsonl']}${records[1]!.text}\n`,
    'events.csv': plain['events.csv'] + lineOf(records[1]!, 2),
  },
  ['MANIFEST_MISMATCH@1'],
  { records: 5, in_other_epochs: 1 },
);
broken(
  'fewer-records',
  'fewer records than the manifest states',
  { ...plain, manifest: manifestOf([[1, 5]]) },
  ['MANIFEST_MISMATCH'],
);
broken(
  'more-records',
  'more records than the manifest states',
  { ...plain, manifest: manifestOf([[1, 3]]) },
  ['MANIFEST_MISMATCH'],
);

broken('forged-signature', 'a signature that is not that of the key', { ...plain, checkpoint: forge(head) }, [
  `CHECKPOINT_SIGNATURE_INVALID@${covered - 1}`,
]);
const fork = leavesOf(rewritten).slice(0, covered);
broken(
  'forked',
  'another checkpoint of the same size',
  plain,
  [`CHECKPOINT_INCONSISTENT@${covered - 1}`],
  {},
  [await checkpoint(covered, root(fork))],
);
broken(
  'smaller-checkpoint',
  'the checkpoint of another size than the proof',
  { ...plain, checkpoint: await checkpoint(10, root(leavesOf(records))) },
  ['CHECKPOINT_ROOT_MISMATCH@9'],
  { checkpoint_size: 10 },
);

/** Exports in which something is wrong. */
export const brokenSelections: readonly SelectionCase[] = cases;
