import { formatCheckpoint, signNote } from '@tallystick/log';
import { BundleCases } from './bundle-case.ts';
import {
  head1,
  head3,
  head5,
  leaves,
  pair,
  pairLines,
  plain,
  records,
  rewrittenPair,
  signedAll,
  some,
  step,
  stored,
  zipped,
} from './bundle-parts.ts';
import { linesOf, seal } from './bundle-writer.ts';
import {
  base64,
  chain,
  checkpoint,
  event,
  forge,
  genesis,
  logKey,
  origin,
  otherKey,
  trusted,
  verifierKey,
} from './fixture.ts';
import { leavesOf, root } from './naive-tree.ts';

/** Bundles that verify, and bundles without a fault that no trusted checkpoint covers. */
const cases = new BundleCases();

cases.verified('complete', 'a whole chain', plain, 4);
cases.verified(
  'genesis',
  'a chain of its genesis record',
  { records: records.slice(0, 1), checkpoints: [await checkpoint(1, leaves[0]!)] },
  0,
);
cases.verified(
  'unsigned-tail',
  'two records that no checkpoint covers yet',
  { ...plain, checkpoints: [head3] },
  2,
  { unsignedTail: 2 },
);
cases.verified(
  'history',
  'an older checkpoint and a consistency proof',
  { ...plain, checkpoints: [head5, head3], between: [step] },
  4,
);
cases.verified('some', 'some records, each with its proof', some, 4, {
  part: {
    covered: [
      [1, 1],
      [3, 4],
    ],
    missing: [
      [0, 0],
      [2, 2],
    ],
    missing_records: 2,
  },
});
cases.verified(
  'some-history',
  'some records, genesis among them, an older checkpoint and a consistency proof',
  { ...some, records: [records[0]!, records[2]!], checkpoints: [head5, head3], between: [step] },
  4,
  {
    part: {
      covered: [
        [0, 0],
        [2, 2],
      ],
      missing: [
        [1, 1],
        [3, 4],
      ],
      missing_records: 3,
    },
  },
);
cases.verified(
  'cosigned',
  'signatures of a witness and of a stranger, which are ignored',
  {
    ...pair,
    checkpoints: [
      `${pair.checkpoints[0]!}— witness.example/w1 ${base64(new Uint8Array(76).fill(7))}\n— ${origin} ${base64(new Uint8Array(68).fill(9))}\n`,
    ],
  },
  1,
);
cases.verified(
  'foreign-key-line',
  'a key line with the key of another log, which is not trusted',
  { ...pair, between: [{ key: verifierKey(origin, otherKey) }] },
  1,
);
cases.verified('several-keys', 'more trusted keys than are needed', pair, 1, {
  keys: [verifierKey('audit.example.com/other/1', logKey), trusted],
});
const otherLog = 'audit.example.com/other/1';
const text2 = formatCheckpoint({ origin, size: 2, root: root(leavesOf(pair.records)) });
const beside = [
  { name: origin, key: logKey },
  { name: otherLog, key: otherKey },
];
cases.verified(
  'foreign-signature',
  'a wrong signature in the name of another log, whose key is given too',
  { ...pair, checkpoints: [forge(await signNote(text2, beside))] },
  1,
  { keys: [verifierKey(otherLog, otherKey), trusted] },
);
const awkward = chain(2, {
  1: {
    event: event(1, {
      metadata: { '10': '}}', '9': '"}\n{', '\u{1f600}': 1e21, '\ufb33': [-0.5], ['__proto__']: null },
    }),
  },
});
cases.verified(
  'awkward',
  'a record whose content looks like the end of its line',
  await signedAll(awkward),
  1,
);
const second = 'audit.example.com/acme/2';
const recovered = chain(
  2,
  {},
  genesis({ origin: second, epoch: 2, recovery: { checkpoint: head3, reason: 'restored from a backup' } }),
);
cases.verified('recovered', 'the second epoch of a tenant', await signedAll(recovered, second), 1, {
  verdict: 'recovered',
  keys: [verifierKey(second, logKey)],
});

const whole = cases.cases.find((one) => one.file === 'several-keys.tally')!;
cases.cases.push({
  ...whole,
  file: 'compressed.tally.gz',
  name: 'compressed',
  bytes: new Uint8Array(zipped),
  keys: [trusted],
});
const text = seal(pairLines);
cases.cases.push({
  ...whole,
  file: 'gzip-members.tally.gz',
  name: 'compressed as two gzip members, with zeros between and after them',
  bytes: Uint8Array.from([...stored(text.slice(0, 700)), 0, 0, ...stored(text.slice(700)), 0]),
  keys: [trusted],
});
cases.failed(
  'not_verifiable',
  'no-key',
  'no trusted key',
  pair.records,
  pairLines,
  ['CHECKPOINT_UNTRUSTED@1'],
  {
    keys: [],
  },
);
cases.failed(
  'not_verifiable',
  'other-key',
  'a trusted key of another log',
  pair.records,
  pairLines,
  ['CHECKPOINT_UNTRUSTED@1'],
  { keys: [verifierKey('audit.example.com/other/1', logKey)] },
);
cases.failed(
  'not_verifiable',
  'rewritten',
  "a chain rewritten and signed with the attacker's key, which is in the file",
  rewrittenPair,
  linesOf({
    records: rewrittenPair,
    checkpoints: [await checkpoint(2, root(leavesOf(rewrittenPair)), { keys: [otherKey] })],
    between: [{ key: verifierKey(origin, otherKey) }],
  }),
  ['CHECKPOINT_UNTRUSTED@1'],
);
cases.failed(
  'not_verifiable',
  'older-trusted',
  'a first checkpoint by a stranger before a genuine older one',
  pair.records,
  linesOf({
    ...pair,
    checkpoints: [await checkpoint(2, root(leaves.slice(0, 2)), { keys: [otherKey] }), head1],
  }),
  ['CHECKPOINT_UNTRUSTED@1'],
);
cases.failed(
  'not_verifiable',
  'other-name',
  "a checkpoint that a trusted key signed under another log's name",
  pair.records,
  linesOf({
    ...pair,
    checkpoints: [
      await signNote(formatCheckpoint({ origin, size: 2, root: root(leaves.slice(0, 2)) }), [
        { name: 'audit.example.com/other/1', key: logKey },
      ]),
    ],
  }),
  ['CHECKPOINT_UNTRUSTED@1'],
  { keys: [verifierKey('audit.example.com/other/1', logKey)] },
);
cases.failed(
  'not_verifiable',
  'size-0',
  'a checkpoint of the empty tree',
  pair.records,
  linesOf({ ...pair, checkpoints: [await checkpoint(0, root([]))] }),
  ['NOTHING_COVERED'],
);
cases.failed(
  'not_verifiable',
  'some-none',
  'an incomplete bundle without records',
  [],
  linesOf({ ...some, records: [] }),
  ['NOTHING_COVERED'],
);

export const soundBundles = cases.cases;
