import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { formatCheckpoint, type SealedRecord, signNote } from '@tallystick/log';
import { linesOf, type Parts, proofLine, recordLine, seal } from './bundle-writer.ts';
import {
  base64,
  chain,
  checkpoint,
  event,
  flip,
  forge,
  genesis,
  logKey,
  origin,
  otherKey,
  record,
  time,
  trusted,
  verifierKey,
} from './fixture.ts';
import { consistency, inclusion, leavesOf, root } from './naive-tree.ts';

export interface BundleCase {
  readonly file: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly keys: readonly string[];
  readonly expect: {
    readonly verdict: 'verified' | 'recovered' | 'broken' | 'not_verifiable';
    readonly tenant_id: string | null;
    readonly records: number;
    readonly covered_to: number | null;
    readonly unsigned_tail: number;
    readonly head: string | null;
    /** `code@sequence_number`, or the code alone where it has no place; in no order. */
    readonly findings: readonly string[];
  };
}

const records = chain(5);
const leaves = leavesOf(records);
const head5 = await checkpoint(5, root(leaves));
const head3 = await checkpoint(3, root(leaves.slice(0, 3)));
const step = { consistency: { from: 3, to: 5, hashes: consistency(3, leaves).map(base64) } };
const plain: Parts = { records, checkpoints: [head5] };
const some: Parts = { ...plain, records: [records[1]!, records[3]!, records[4]!], complete: false, leaves };
const pair: Parts = {
  records: records.slice(0, 2),
  checkpoints: [await checkpoint(2, root(leaves.slice(0, 2)))],
};
const pairLines = linesOf(pair);
const rewritten = chain(5, { 2: { event: event(2, { actor_id: 'mallory' }) } });
const rewrittenPair = chain(2, { 1: { event: event(1, { actor_id: 'mallory' }) } });
const head1 = await checkpoint(1, leaves[0]!);
const zero = '0'.repeat(64);

/** A chain with something wrong in it that the log's own key has signed nevertheless. */
async function signedAll(list: readonly SealedRecord[], own = origin): Promise<Parts> {
  return {
    records: list,
    checkpoints: [await checkpoint(list.length, root(leavesOf(list)), { origin: own })],
    origin: own,
  };
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const edit = (at: number, from: string, to: string): SealedRecord[] => {
  const text = records[at]!.text.replace(from, to);
  if (text === records[at]!.text) throw new Error(from);
  return records.with(at, { ...records[at]!, text });
};
const cases: BundleCase[] = [];

interface Options {
  readonly keys?: readonly string[];
  readonly head?: string;
  readonly unsignedTail?: number;
}

function verified(
  file: string,
  name: string,
  parts: Parts,
  coveredTo: number,
  options: Options & { verdict?: 'recovered' } = {},
): void {
  cases.push({
    file: `${file}.tally`,
    name,
    bytes: utf8(seal(linesOf(parts))),
    keys: options.keys ?? [trusted],
    expect: {
      verdict: options.verdict ?? 'verified',
      tenant_id: 'acme',
      records: parts.records.length,
      covered_to: coveredTo,
      unsigned_tail: options.unsignedTail ?? 0,
      head: parts.records.at(-1)!.hashHex,
      findings: [],
    },
  });
}

/** `lines` may differ from what the parts make: then `parts` is what a verifier reads in the end. */
function failed(
  verdict: 'broken' | 'not_verifiable',
  file: string,
  name: string,
  list: readonly { readonly text: string }[],
  lines: readonly string[],
  findings: readonly string[],
  options: Options = {},
): void {
  cases.push({
    file: `${file}.tally`,
    name,
    bytes: utf8(seal(lines)),
    keys: options.keys ?? [trusted],
    expect: {
      verdict,
      tenant_id: 'acme',
      records: list.length,
      covered_to: null,
      unsigned_tail: 0,
      head: list.length === 0 ? null : hashOf(list.at(-1)!.text),
      findings,
    },
  });
}

function refused(
  file: string,
  name: string,
  bytes: Uint8Array | string,
  code = 'BUNDLE_DAMAGED',
  tenant: string | null = 'acme',
): void {
  cases.push({
    file: `${file}.tally`,
    name,
    bytes: typeof bytes === 'string' ? utf8(bytes) : bytes,
    keys: [trusted],
    expect: {
      verdict: 'not_verifiable',
      tenant_id: tenant,
      records: 0,
      covered_to: null,
      unsigned_tail: 0,
      head: null,
      findings: [code],
    },
  });
}

// Verified.
verified('complete', 'a whole chain', plain, 4);
verified(
  'genesis',
  'a chain of its genesis record',
  { records: records.slice(0, 1), checkpoints: [await checkpoint(1, leaves[0]!)] },
  0,
);
verified(
  'unsigned-tail',
  'two records that no checkpoint covers yet',
  { ...plain, checkpoints: [head3] },
  2,
  { unsignedTail: 2 },
);
verified(
  'history',
  'an older checkpoint and a consistency proof',
  { ...plain, checkpoints: [head5, head3], between: [step] },
  4,
);
verified('some', 'some records, each with its proof', some, 4);
verified(
  'some-history',
  'some records, genesis among them, an older checkpoint and a consistency proof',
  { ...some, records: [records[0]!, records[2]!], checkpoints: [head5, head3], between: [step] },
  4,
);
verified(
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
verified(
  'foreign-key-line',
  "a key line with a stranger's key, which nobody trusts",
  { ...pair, between: [{ key: verifierKey(origin, otherKey) }] },
  1,
);
verified('several-keys', 'more trusted keys than are needed', pair, 1, {
  keys: [verifierKey('audit.example.com/other/1', logKey), trusted],
});
const awkward = chain(2, {
  1: {
    event: event(1, {
      metadata: { '10': '}}', '9': '"}\n{', '\u{1f600}': 1e21, '\ufb33': [-0.5], ['__proto__']: null },
    }),
  },
});
verified('awkward', 'a record whose content looks like the end of its line', await signedAll(awkward), 1);
const second = 'audit.example.com/acme/2';
const recovered = chain(
  2,
  {},
  genesis({ origin: second, epoch: 2, recovery: { checkpoint: head3, reason: 'restored from a backup' } }),
);
verified('recovered', 'the second epoch of a tenant', await signedAll(recovered, second), 1, {
  verdict: 'recovered',
  keys: [verifierKey(second, logKey)],
});

const zipped = gzipSync(seal(pairLines), { level: 0 });
// The byte that names the operating system.
zipped[9] = 255;
const whole = cases.find((one) => one.file === 'several-keys.tally')!;
cases.push({
  ...whole,
  file: 'compressed.tally.gz',
  name: 'compressed',
  bytes: new Uint8Array(zipped),
  keys: [trusted],
});

// Not verifiable: read without fault, but nothing vouches for it.
failed('not_verifiable', 'no-key', 'no trusted key', pair.records, pairLines, ['CHECKPOINT_UNTRUSTED@1'], {
  keys: [],
});
failed(
  'not_verifiable',
  'other-key',
  'a trusted key of another log',
  pair.records,
  pairLines,
  ['CHECKPOINT_UNTRUSTED@1'],
  { keys: [verifierKey('audit.example.com/other/1', logKey)] },
);
failed(
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
failed(
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
failed(
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
failed(
  'not_verifiable',
  'size-0',
  'a checkpoint of the empty tree',
  pair.records,
  linesOf({ ...pair, checkpoints: [await checkpoint(0, root([]))] }),
  ['NOTHING_COVERED'],
);
failed(
  'not_verifiable',
  'some-none',
  'an incomplete bundle without records',
  [],
  linesOf({ ...some, records: [] }),
  ['NOTHING_COVERED'],
);

// Broken.
const broken = (
  file: string,
  name: string,
  list: readonly SealedRecord[],
  lines: readonly string[],
  findings: readonly string[],
) => failed('broken', file, name, list, lines, findings);
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
const someLines = linesOf(some);
const at = (line: string) => someLines.indexOf(line);
const line3 = at(recordLine(records[3]!.text));
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

// Refused: the file itself is not what it should be.
const single: Parts = { records: records.slice(0, 1), checkpoints: [await checkpoint(1, leaves[0]!)] };
const lines = linesOf(single);
const good = seal(lines);
const [headerLine, checkpointLine, last] = lines as [string, string, string];
refused('empty', 'an empty file', '', 'BUNDLE_TRUNCATED', null);
refused('truncated-line', 'a file cut in the middle of a line', good.slice(0, 800), 'BUNDLE_TRUNCATED');
refused(
  'truncated-end',
  'a file without its end line',
  lines.map((line) => `${line}\n`).join(''),
  'BUNDLE_TRUNCATED',
);
refused('truncated-newline', 'a file without its last newline', good.slice(0, -1), 'BUNDLE_TRUNCATED');
refused(
  'version-2',
  'a format of the future',
  seal([headerLine.replace('_bundle":1', '_bundle":2'), ...lines.slice(1)]),
  'BUNDLE_UNSUPPORTED',
  null,
);
refused(
  'wrong-digest',
  'a letter changed in transport',
  good.replace('"actor_id":"tallystick"', '"actor_id":"tallystock"'),
);
refused('wrong-records', 'a wrong count of records', seal(lines, { records: 2 }));
refused('wrong-lines', 'a wrong count of lines', seal(lines, { lines: 4 }));
refused('after-end', 'a line after the end', `${good}{"key":"${trusted}"}\n`);
refused('windows', 'Windows line ends', good.replaceAll('\n', '\r\n'));
refused('byte-order-mark', 'a byte-order mark', `\ufeff${good}`, 'BUNDLE_DAMAGED', null);
refused(
  'not-utf8',
  'a byte that is no UTF-8',
  Buffer.from(good.replace('"actor_id":"t', '"actor_id":"\u0001'), 'utf8').map((byte) =>
    byte === 1 ? 0xff : byte,
  ),
);
refused('blank-line', 'a blank line', seal([...lines, '']));
refused('unknown-kind', 'a kind that nobody knows', seal(lines.toSpliced(2, 0, '{"note":"trust me"}')));
refused('malformed-key', 'a key that is none', seal(lines.toSpliced(2, 0, '{"key":"trust me"}')));
refused('empty-record', 'a record of no bytes', seal([...lines, '{"record":}']));
refused(
  'open-record',
  'a record line without its brace',
  seal([headerLine, checkpointLine, last.slice(0, -2)]),
);
refused('truncated-gzip', 'a compressed file cut short', zipped.subarray(0, -20), 'BUNDLE_TRUNCATED');
refused(
  'two-kinds',
  'a line of two kinds',
  seal(lines.toSpliced(2, 0, `{"key":"${trusted}","checkpoint":""}`)),
);
refused(
  'spaced-record',
  'a record line with a space',
  seal([headerLine, checkpointLine, last.replace('{', '{ ')], { records: 1 }),
);
refused('no-header', 'no header', seal(lines.slice(1)), 'BUNDLE_DAMAGED', null);
refused(
  'header-member',
  'an unknown member in the header',
  seal([headerLine.replace('}', ',"verified":true}'), ...lines.slice(1)]),
  'BUNDLE_DAMAGED',
  null,
);
refused(
  'header-duplicate',
  'a duplicate member in the header',
  seal([headerLine.replace('}', ',"complete":true}'), ...lines.slice(1)]),
  'BUNDLE_DAMAGED',
  null,
);
refused(
  'header-tenant',
  'a tenant other than the origin names',
  seal([headerLine.replace('"acme"', '"other"'), ...lines.slice(1)]),
  'BUNDLE_DAMAGED',
  null,
);
refused(
  'header-epoch',
  'an epoch other than the origin names',
  seal([headerLine.replace('"epoch":1', '"epoch":2'), ...lines.slice(1)]),
  'BUNDLE_DAMAGED',
  null,
);
refused(
  'header-first',
  'a complete bundle that does not begin at 0',
  seal([headerLine.replace('"first":0', '"first":1'), ...lines.slice(1)]),
  'BUNDLE_DAMAGED',
  null,
);
refused('no-checkpoint', 'no checkpoint', seal(lines.toSpliced(1, 1)));
refused(
  'late-checkpoint',
  'a checkpoint after a record',
  seal([headerLine, checkpointLine, last, checkpointLine]),
);
refused(
  'growing-checkpoints',
  'checkpoints with the oldest first',
  seal(linesOf({ ...pair, checkpoints: [head1, ...pair.checkpoints] })),
);
refused(
  'malformed-note',
  'a checkpoint that is no note',
  seal(linesOf({ ...single, checkpoints: [single.checkpoints[0]!.slice(0, -1)] })),
);
refused(
  'malformed-checkpoint',
  'a note that is no checkpoint',
  seal(
    linesOf({
      ...single,
      checkpoints: [await signNote(`${origin}\n01\n\n`, [{ name: origin, key: logKey }])],
    }),
  ),
);
refused(
  'other-origin',
  'a checkpoint of another origin',
  seal(
    linesOf({
      ...single,
      checkpoints: [await checkpoint(1, leaves[0]!, { origin: 'audit.example.com/other/1' })],
    }),
  ),
);
refused(
  'unknown-consistency',
  'a consistency proof between sizes that no checkpoint has',
  seal(linesOf({ ...single, between: [step] })),
);
refused('proof-in-complete', 'a proof in a complete bundle', seal([...lines, proofLine(0, [])]));
refused(
  'some-no-proof',
  'an incomplete bundle with a record that has no proof',
  seal(someLines.toSpliced(line3 + 1, 1)),
);
refused(
  'some-last-no-proof',
  'an incomplete bundle whose last record has no proof',
  seal(someLines.slice(0, -1)),
);
refused(
  'some-two-proofs',
  'a record with two proofs',
  seal(someLines.toSpliced(line3 + 1, 0, someLines[line3 + 1]!)),
);
refused(
  'some-short-hash',
  'a proof with a hash of 31 bytes',
  seal(someLines.with(line3 + 1, proofLine(3, [new Uint8Array(31)]))),
);
refused(
  'some-stray-bits',
  'a proof in base64 that is not canonical',
  seal(someLines.with(line3 + 1, someLines[line3 + 1]!.replace(/[A-Za-z0-9+/]=/, '/='))),
);
refused(
  'some-index',
  'a proof whose index is no integer',
  seal(someLines.with(line3 + 1, someLines[line3 + 1]!.replace('"index":3', '"index":3.5'))),
);

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export const bundleCases: readonly BundleCase[] = cases;
