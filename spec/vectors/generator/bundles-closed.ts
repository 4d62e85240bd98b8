import { type SealedRecord, sha256 } from '@tallystick/log';
import type { BundleCase } from './bundle-case.ts';
import { edit, head5, leaves, records } from './bundle-parts.ts';
import { linesOf, recordLine, seal } from './bundle-writer.ts';
import { base64, chain, checkpoint, genesis, logKey, origin, verifierKey } from './fixture.ts';
import { leavesOf, root } from './naive-tree.ts';

/** Bundles of chains that closed earlier epochs, with the records of these epochs (format 2). */
const cases: BundleCase[] = [];

const [first, second, third] = [origin, 'audit.example.com/acme/2', 'audit.example.com/acme/3'];
const reason = 'restored from a backup';

interface Statement {
  readonly checkpoint: string;
  readonly left: readonly string[];
}

const left = (from: number, to: number, of: readonly Uint8Array[] = leaves) =>
  `${from}-${to} ${base64(root(of.slice(from, to + 1)))}`;

/** The chain of a later epoch, whose genesis record states what was left of the epochs before. */
const later = (own: string, closed: readonly Statement[], length = 2): SealedRecord[] =>
  chain(
    length,
    {},
    genesis({
      origin: own,
      epoch: Number(own.at(-1)),
      recovery: { checkpoint: closed[0]?.checkpoint ?? head5, reason, closed },
    }),
  );

interface Section {
  readonly of: string;
  readonly records: readonly { readonly text: string }[];
}

const lines = async (
  own: string,
  list: readonly SealedRecord[],
  sections: readonly Section[],
  header: object = { tallystick_bundle: 2 },
): Promise<string[]> => [
  ...linesOf({
    records: list,
    checkpoints: [await checkpoint(list.length, root(leavesOf(list)), { origin: own })],
    origin: own,
    header,
  }),
  ...sections.flatMap((section) => [
    JSON.stringify({ closed: section.of }),
    ...section.records.map(({ text }) => recordLine(text)),
  ]),
];

const add = (
  file: string,
  name: string,
  own: string,
  list: readonly SealedRecord[],
  written: readonly string[],
  expected: { readonly findings?: readonly string[]; readonly closed?: readonly object[] },
) => {
  const { findings = [], closed } = expected;
  const isGood = findings.length === 0;
  cases.push({
    file: `${file}.tally`,
    name,
    bytes: new TextEncoder().encode(seal(written)),
    keys: [verifierKey(own, logKey)],
    expect: {
      verdict: isGood ? 'recovered' : 'broken',
      tenant_id: 'acme',
      records: list.length,
      covered_to: isGood ? list.length - 1 : null,
      unsigned_tail: 0,
      head: list.at(-1)!.hashHex,
      findings,
      ...(closed !== undefined && { closed }),
    },
  });
};

/** Three of five signed records are left. */
const statement: Statement = { checkpoint: head5, left: [left(0, 2)] };
const current = later(second, [statement]);
const state = (count: number | null) => ({
  epoch: 1,
  origin: first,
  signed: 5,
  records: count,
  lost: [[3, 4]],
  lost_records: 2,
});
const three = records.slice(0, 3);
const withSection = async (list: readonly { readonly text: string }[]) =>
  await lines(second, current, [{ of: first, records: list }]);

add('closed', 'the second epoch, and what was left of the first', second, current, await withSection(three), {
  closed: [state(3)],
});
add(
  'closed-left-out',
  'a file of format 1 without the closed epoch',
  second,
  current,
  await lines(second, current, [], {}),
  { closed: [state(null)] },
);
add(
  'closed-edited',
  'a record of the closed epoch was changed',
  second,
  current,
  await withSection(edit(1, 'u-1', 'u-9').slice(0, 3)),
  { findings: ['CHAIN_LINK_BROKEN@1/2', 'CLOSED_RECORDS_CHANGED@1/0'], closed: [state(3)] },
);
add(
  'closed-edited-last',
  'the last record that was left was changed',
  second,
  current,
  await withSection(edit(2, 'u-2', 'u-9').slice(0, 3)),
  { findings: ['CLOSED_RECORDS_CHANGED@1/0'], closed: [state(3)] },
);
add(
  'closed-deleted',
  'a record of the closed epoch is missing',
  second,
  current,
  await withSection([records[0]!, records[2]!]),
  { findings: ['SEQUENCE_GAP@1/1'], closed: [state(2)] },
);
add('closed-emptied', 'all records of the closed epoch are missing', second, current, await withSection([]), {
  findings: ['SEQUENCE_GAP@1/0'],
  closed: [state(0)],
});
add(
  'closed-added',
  'a record that was lost is in the closed epoch',
  second,
  current,
  await withSection(records.slice(0, 4)),
  { findings: ['STRAY_ROW@1/3'], closed: [state(4)] },
);
add(
  'closed-swapped',
  'records of the closed epoch are out of order',
  second,
  current,
  await withSection([records[0]!, records[2]!, records[1]!]),
  {
    findings: ['SEQUENCE_DUPLICATE@1/1', 'SEQUENCE_GAP@1/1', 'STRAY_ROW@1/1', 'TIME_REGRESSION@1/1'],
    closed: [state(3)],
  },
);

const plainSecond = chain(
  2,
  {},
  genesis({ origin: second, epoch: 2, recovery: { checkpoint: head5, reason } }),
);
add(
  'closed-unstated',
  'records of an epoch that the genesis record does not state',
  second,
  plainSecond,
  await lines(second, plainSecond, [{ of: first, records: three }]),
  { findings: ['STRAY_ROW@1/'] },
);

const altered = edit(3, 'u-3', 'u-9').map((record) => ({ ...record, hash: sha256(record.text) }));
const whole = later(second, [{ checkpoint: head5, left: [left(0, 4, leavesOf(altered))] }]);
add(
  'closed-altered-before',
  'all signed records were left, but one was changed before the recovery',
  second,
  whole,
  await lines(second, whole, [{ of: first, records: altered }]),
  {
    findings: ['CHAIN_LINK_BROKEN@1/4', 'CHECKPOINT_ROOT_MISMATCH@1/4'],
    closed: [{ ...state(5), lost: [], lost_records: 0 }],
  },
);

const gaps: Statement = { checkpoint: head5, left: [left(0, 0), left(2, 3)] };
const middle = later(second, [gaps]);
const middleHead = await checkpoint(2, root(leavesOf(middle)), { origin: second });
const middleLeft: Statement = { checkpoint: middleHead, left: [left(0, 0, leavesOf(middle))] };
const gapState = {
  ...state(3),
  lost: [
    [1, 1],
    [4, 4],
  ],
};
const middleState = { epoch: 2, origin: second, signed: 2, records: 1, lost: [[1, 1]], lost_records: 1 };
const twice = later(third, [middleLeft, gaps]);
add(
  'closed-twice',
  'two closed epochs, and records with gaps',
  third,
  twice,
  await lines(third, twice, [
    { of: second, records: middle.slice(0, 1) },
    { of: first, records: [records[0]!, records[2]!, records[3]!] },
  ]),
  { closed: [middleState, gapState] },
);
const restated = later(third, [middleLeft, { ...gaps, left: [left(2, 3)] }]);
add(
  'closed-restated',
  'two genesis records say different things about the first epoch',
  third,
  restated,
  await lines(third, restated, [
    { of: second, records: middle.slice(0, 1) },
    { of: first, records: records.slice(2, 4) },
  ]),
  {
    findings: ['CLOSED_EPOCHS_RESTATED@2/0'],
    closed: [
      middleState,
      {
        ...gapState,
        records: 2,
        lost: [
          [0, 1],
          [4, 4],
        ],
        lost_records: 3,
      },
    ],
  },
);

const malformed: readonly (readonly [string, string, readonly object[]])[] = [
  ['none', 'no epoch', []],
  ['member', 'an unknown member', [{ ...statement, more: 1 }]],
  [
    'range',
    'a range that ends before it begins',
    [{ ...statement, left: [left(2, 2).replace('2-2', '2-1')] }],
  ],
  ['order', 'ranges that overlap', [{ ...statement, left: [left(0, 2), left(2, 3)] }]],
  ['spelling', 'a number with a leading zero', [{ ...statement, left: [left(0, 2).replace('0-', '00-')] }]],
  ['own', 'its own epoch', [{ ...statement, checkpoint: middleHead }]],
  ['note', 'a text that is not a note', [{ ...statement, checkpoint: 'note' }]],
];
for (const [file, what, closed] of malformed) {
  const list = later(second, closed as readonly Statement[]);
  add(
    `closed-malformed-${file}`,
    `a genesis record that states ${what}`,
    second,
    list,
    await lines(second, list, [], {}),
    {
      findings: ['GENESIS_INVALID@0'],
    },
  );
}

const refuse = (file: string, name: string, written: readonly string[]) =>
  cases.push({
    file: `${file}.tally`,
    name,
    bytes: new TextEncoder().encode(seal(written)),
    keys: [verifierKey(second, logKey)],
    expect: {
      verdict: 'not_verifiable',
      tenant_id: 'acme',
      records: 0,
      covered_to: null,
      unsigned_tail: 0,
      head: null,
      findings: ['BUNDLE_DAMAGED'],
    },
  });
const section = { of: first, records: three };
refuse(
  'closed-format-1',
  'a closed epoch in a file of format 1',
  await lines(second, current, [section], {}),
);
refuse(
  'closed-other-tenant',
  'a closed epoch of another tenant',
  await lines(second, current, [{ ...section, of: 'audit.example.com/other/1' }]),
);
refuse('closed-repeated', 'the same closed epoch twice', await lines(second, current, [section, section]));
refuse(
  'closed-own',
  'the current epoch as a closed one',
  await lines(second, current, [{ ...section, of: second }]),
);
refuse('closed-number', 'a closed line that is not text', [
  ...(await lines(second, current, [])),
  JSON.stringify({ closed: 1 }),
]);
refuse('closed-checkpoint', 'a checkpoint after a closed line', [
  ...(await withSection(three)),
  JSON.stringify({ checkpoint: head5 }),
]);

export const closedBundles: readonly BundleCase[] = cases;
