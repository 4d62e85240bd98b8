import { createVerifier, formatRotation, rotationLeaf, signNote } from '@tallystick/log';
import type { BundleCase } from './bundle-case.ts';
import { leaves, records } from './bundle-parts.ts';
import { linesOf, seal } from './bundle-writer.ts';
import { base64, checkpoint, logKey, origin, otherKey, trusted, verifierKey } from './fixture.ts';
import { root } from './naive-tree.ts';

/** Bundles of a log whose key was rotated (format 3). The old key is that of all other bundles. */
const cases: BundleCase[] = [];

const logName = 'audit.example.com';
/** The last checkpoint under the old key. */
export const last = { origin, size: 3, root: root(leaves.slice(0, 3)) };
const [oldKey, newKey] = [logKey, otherKey].map((key) => createVerifier(logName, key.publicKey)) as [
  ReturnType<typeof createVerifier>,
  ReturnType<typeof createVerifier>,
];
const text = formatRotation({
  logName,
  oldKey,
  newKey,
  rotatedAt: '2026-03-02T12:00:00.000Z',
  logs: 1,
  root: rotationLeaf(last),
});
/** The rotation from the old key to the new one, signed by both; also for receipts. */
export const statement = await signNote(text, [
  { name: logName, key: logKey },
  { name: logName, key: otherKey },
]);
const unsigned = await signNote(text, [{ name: logName, key: logKey }]);
const handover = { size: 3, root: base64(last.root), index: 0, hashes: [] };

const whole = (size: number) => root(leaves.slice(0, size));
export const underNew = await checkpoint(5, whole(5), { keys: [otherKey] });
const underOld = (size: number) => checkpoint(size, whole(size));
const five = records.slice(0, 5);

const linesWith = (rotations: readonly object[], checkpoints: readonly string[]): string[] => {
  const [header, ...rest] = linesOf({ records: five, checkpoints, header: { tallystick_bundle: 3 } });
  return [header!, ...rotations.map((rotation) => JSON.stringify({ rotation })), ...rest];
};

const add = (
  file: string,
  name: string,
  lines: readonly string[],
  coveredTo: number | null,
  findings: readonly string[] = [],
  keys: readonly string[] = [trusted],
  lastSize?: number,
) => {
  const isUntrusted = findings.some((finding) => finding.startsWith('CHECKPOINT_UNTRUSTED'));
  cases.push({
    file: `${file}.tally`,
    name,
    bytes: new TextEncoder().encode(seal(lines)),
    keys,
    expect: {
      verdict: findings.length === 0 ? 'verified' : isUntrusted ? 'not_verifiable' : 'broken',
      tenant_id: 'acme',
      records: five.length,
      covered_to: coveredTo,
      unsigned_tail: coveredTo === null ? 0 : five.length - 1 - coveredTo,
      head: five.at(-1)!.hashHex,
      findings,
      ...(lastSize !== undefined && {
        rotations: [
          {
            rotated_at: '2026-03-02T12:00:00.000Z',
            old_key: trusted,
            new_key: verifierKey(origin, otherKey),
            last_size: lastSize,
          },
        ],
      }),
    },
  });
};

export const rotation = { statement, last: handover };
add(
  'rotated',
  'a checkpoint of the key that the trusted key endorsed',
  linesWith([rotation], [underNew]),
  4,
  [],
  [trusted],
  3,
);
add(
  'rotated-new-key',
  'the same file, for a verifier that has only the new key',
  linesWith([rotation], [underNew]),
  4,
  [],
  [verifierKey(origin, otherKey)],
);
add(
  'rotated-before',
  'a checkpoint of the old key from before the rotation',
  linesWith([rotation], [await underOld(3)]),
  2,
  [],
  [trusted],
  3,
);
add(
  'rotated-after',
  'a checkpoint that the old key signed after the rotation',
  linesWith([rotation], [await underOld(5)]),
  null,
  ['CHECKPOINT_KEY_RETIRED@4'],
  [trusted],
  3,
);
add(
  'rotated-never-signed',
  'a checkpoint of an old key that had signed none of this log',
  linesWith([{ statement }], [await underOld(3)]),
  null,
  ['CHECKPOINT_KEY_RETIRED@2'],
  [trusted],
  0,
);
add(
  'rotated-one-signature',
  'a rotation that the new key did not sign',
  linesWith([{ statement: unsigned, last: handover }], [underNew]),
  null,
  ['KEY_ROTATION_INVALID'],
);
add(
  'rotated-other-last',
  'a rotation with another last checkpoint than it names',
  linesWith([{ statement, last: { ...handover, size: 4 } }], [underNew]),
  null,
  ['KEY_ROTATION_INVALID'],
);
add(
  'rotated-unknown',
  'a rotation of a key that is not trusted proves nothing',
  linesWith([rotation], [underNew]),
  null,
  ['CHECKPOINT_UNTRUSTED@4'],
  [verifierKey('audit.example.com/other/1', logKey)],
);

const refuse = (file: string, name: string, lines: readonly string[]) =>
  cases.push({
    file: `${file}.tally`,
    name,
    bytes: new TextEncoder().encode(seal(lines)),
    keys: [trusted],
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
refuse(
  'rotated-twice',
  'a rotation that does not follow the one before it',
  linesWith([rotation, rotation], [underNew]),
);
refuse(
  'rotated-malformed-time',
  'a rotation at no time',
  linesWith(
    [{ statement: await signNote(text.replace('-02T', '-42T'), [{ name: logName, key: logKey }]) }],
    [underNew],
  ),
);
refuse(
  'rotated-malformed-member',
  'a rotation with an unknown member',
  linesWith([{ ...rotation, more: 1 }], [underNew]),
);
refuse(
  'rotated-format-2',
  'a rotation in a file of format 2',
  linesWith([rotation], [underNew]).map((line, at) =>
    at === 0 ? line.replace('"tallystick_bundle":3', '"tallystick_bundle":2') : line,
  ),
);

export const rotatedBundles: readonly BundleCase[] = cases;
