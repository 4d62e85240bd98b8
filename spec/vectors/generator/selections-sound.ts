import { leaves as fiveLeaves, records as fiveRecords } from './bundle-parts.ts';
import { rotation, underNew } from './bundles-rotated.ts';
import { base64, checkpoint, logKey, origin, otherKey, trusted, verifierKey } from './fixture.ts';
import { multiproof, root } from './naive-tree.ts';
import { type SelectionCase, selectionCase } from './selection-case.ts';
import {
  covered,
  entriesOf,
  filesOf,
  head,
  identity,
  leaves,
  lineOf,
  manifestOf,
  records,
  selected,
  tableHead,
  withheldLine,
} from './selection-parts.ts';
import { zip } from './zip-writer.ts';

const plain = filesOf(selected);
const all = leaves.map((_, index) => index);
const withheld = identity(6, { is_sensitive: true, redacted: true });
const kept = await checkpoint(3, root(leaves.slice(0, 3)));
const otherTrust = verifierKey(origin, otherKey);

/** Epoch 2 of the log has the same records here, so that only the origin differs. */
const second = 'audit.example.com/acme/2';
const recovered = {
  ...filesOf(selected),
  manifest: manifestOf(
    [
      [1, 1],
      [2, 4],
    ],
    { origin: second },
  ),
  checkpoint: await checkpoint(covered, root(leaves), { origin: second }),
  'records.jsonl': [1, ...selected].map((index) => `${records[index]!.text}\n`).join(''),
  'events.csv':
    tableHead + [1, ...selected].map((index, at) => lineOf(records[index]!, at === 0 ? 1 : 2)).join(''),
};

/** A record of the bundles of a log that rotated its key. */
const rotated = {
  manifest: manifestOf([[1, 1]], { rotations: [rotation] }),
  checkpoint: underNew,
  'multiproof.txt': multiproof([3], fiveLeaves)
    .map((hash) => `${base64(hash)}\n`)
    .join(''),
  'records.jsonl': `${fiveRecords[3]!.text}\n`,
  'events.csv': tableHead + lineOf(fiveRecords[3]!),
};

/** Exports that a verifier accepts, or about which nothing is shown. */
export const soundSelections: readonly SelectionCase[] = [
  selectionCase('plain', 'four records', plain, 'verified_selection'),
  selectionCase('whole', 'all records that the checkpoint covers', filesOf(all), 'verified_selection', {
    records: covered,
    verified: covered,
  }),
  selectionCase(
    'deflated',
    'files that are compressed, with descriptors behind them, in another order',
    zip(
      entriesOf(plain)
        .map((entry) => ({ ...entry, isDeflated: true, flags: 8 }))
        .toReversed(),
    ),
    'verified_selection',
  ),
  selectionCase(
    'withheld',
    'a record that the reader may not see',
    {
      ...plain,
      'records.jsonl': plain['records.jsonl'].replace(records[6]!.text, JSON.stringify({ withheld })),
      'events.csv': plain['events.csv'].replace(lineOf(records[6]!), withheldLine(withheld, 'redacted')),
    },
    'verified_selection',
    { verified: 3, hash_only: 1 },
  ),
  selectionCase(
    'recovered',
    'a second epoch, and a record of the first',
    recovered,
    'recovered_selection',
    { records: 5, in_other_epochs: 1 },
    { keys: [verifierKey(second, logKey)] },
  ),
  selectionCase('rotated', 'a log whose key was rotated', rotated, 'verified_selection', {
    records: 1,
    verified: 1,
    checkpoint_size: 5,
    rotations: [
      {
        rotated_at: '2026-03-02T12:00:00.000Z',
        old_key: trusted,
        new_key: verifierKey(origin, otherKey),
        last_size: 3,
      },
    ],
  }),
  selectionCase(
    'given-other-size',
    'a checkpoint of the user that covers fewer records',
    plain,
    'verified_selection',
    { not_compared: [3] },
    { given: [kept] },
  ),
  selectionCase(
    'given-same',
    'a checkpoint of the user that is the same',
    plain,
    'verified_selection',
    {},
    { given: [head] },
  ),
  selectionCase('no-records', 'an export without records', filesOf([]), 'not_verifiable', {
    records: 0,
    verified: 0,
    findings: ['NOTHING_COVERED'],
  }),
  selectionCase(
    'unknown-key',
    'a checkpoint that no trusted key signed',
    plain,
    'not_verifiable',
    { findings: ['CHECKPOINT_UNTRUSTED@8'] },
    { keys: [otherTrust] },
  ),
];
