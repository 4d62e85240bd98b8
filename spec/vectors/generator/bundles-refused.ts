import { signNote } from '@tallystick/log';
import { BundleCases } from './bundle-case.ts';
import { head1, leaves, line3, pair, records, someLines, step, stored, zipped } from './bundle-parts.ts';
import { linesOf, type Parts, proofLine, seal } from './bundle-writer.ts';
import { checkpoint, logKey, origin, trusted } from './fixture.ts';

/** Files that are not valid bundles. */
const cases = new BundleCases();

const single: Parts = { records: records.slice(0, 1), checkpoints: [await checkpoint(1, leaves[0]!)] };
const lines = linesOf(single);
const good = seal(lines);
const [headerLine, checkpointLine, last] = lines as [string, string, string];
cases.refused('empty', 'an empty file', '', 'BUNDLE_TRUNCATED', null);
cases.refused('truncated-line', 'a file cut in the middle of a line', good.slice(0, 800), 'BUNDLE_TRUNCATED');
cases.refused(
  'truncated-end',
  'a file without its end line',
  lines.map((line) => `${line}\n`).join(''),
  'BUNDLE_TRUNCATED',
);
cases.refused('truncated-newline', 'a file without its last newline', good.slice(0, -1), 'BUNDLE_TRUNCATED');
cases.refused(
  'version-4',
  'a format of the future',
  seal([headerLine.replace('_bundle":1', '_bundle":4'), ...lines.slice(1)]),
  'BUNDLE_UNSUPPORTED',
  null,
);
cases.refused(
  'wrong-digest',
  'a letter changed in transport',
  good.replace('"actor_id":"tallystick"', '"actor_id":"tallystock"'),
);
cases.refused('wrong-records', 'a wrong count of records', seal(lines, { records: 2 }));
cases.refused('wrong-lines', 'a wrong count of lines', seal(lines, { lines: 4 }));
cases.refused('after-end', 'a line after the end', `${good}{"key":"${trusted}"}\n`);
cases.refused('windows', 'Windows line ends', good.replaceAll('\n', '\r\n'));
cases.refused('byte-order-mark', 'a byte-order mark', `\ufeff${good}`, 'BUNDLE_DAMAGED', null);
cases.refused(
  'not-utf8',
  'a byte that is no UTF-8',
  Buffer.from(good.replace('"actor_id":"t', '"actor_id":"\u0001'), 'utf8').map((byte) =>
    byte === 1 ? 0xff : byte,
  ),
);
cases.refused('blank-line', 'a blank line', seal([...lines, '']));
cases.refused('unknown-kind', 'an unknown kind of line', seal(lines.toSpliced(2, 0, '{"note":"trust me"}')));
cases.refused('malformed-key', 'a malformed key', seal(lines.toSpliced(2, 0, '{"key":"trust me"}')));
cases.refused('empty-record', 'a record of no bytes', seal([...lines, '{"record":}']));
cases.refused(
  'open-record',
  'a record line without its brace',
  seal([headerLine, checkpointLine, last.slice(0, -2)]),
);
cases.refused('truncated-gzip', 'a compressed file cut short', zipped.subarray(0, -20), 'BUNDLE_TRUNCATED');
cases.refused(
  'two-kinds',
  'a line of two kinds',
  seal(lines.toSpliced(2, 0, `{"key":"${trusted}","checkpoint":""}`)),
);
cases.refused(
  'spaced-record',
  'a record line with a space',
  seal([headerLine, checkpointLine, last.replace('{', '{ ')], { records: 1 }),
);
cases.refused('no-header', 'no header', seal(lines.slice(1)), 'BUNDLE_DAMAGED', null);
cases.refused(
  'header-member',
  'an unknown member in the header',
  seal([headerLine.replace('}', ',"verified":true}'), ...lines.slice(1)]),
  'BUNDLE_DAMAGED',
  null,
);
cases.refused(
  'header-duplicate',
  'a duplicate member in the header',
  seal([headerLine.replace('}', ',"complete":true}'), ...lines.slice(1)]),
  'BUNDLE_DAMAGED',
  null,
);
cases.refused(
  'header-tenant',
  'a tenant other than the origin names',
  seal([headerLine.replace('"acme"', '"other"'), ...lines.slice(1)]),
  'BUNDLE_DAMAGED',
  null,
);
cases.refused(
  'header-epoch',
  'an epoch other than the origin names',
  seal([headerLine.replace('"epoch":1', '"epoch":2'), ...lines.slice(1)]),
  'BUNDLE_DAMAGED',
  null,
);
cases.refused(
  'header-first',
  'a complete bundle that does not begin at 0',
  seal([headerLine.replace('"first":0', '"first":1'), ...lines.slice(1)]),
  'BUNDLE_DAMAGED',
  null,
);
cases.refused('no-checkpoint', 'no checkpoint', seal(lines.toSpliced(1, 1)));
cases.refused(
  'late-checkpoint',
  'a checkpoint after a record',
  seal([headerLine, checkpointLine, last, checkpointLine]),
);
cases.refused(
  'growing-checkpoints',
  'checkpoints with the oldest first',
  seal(linesOf({ ...pair, checkpoints: [head1, ...pair.checkpoints] })),
);
cases.refused(
  'malformed-note',
  'a checkpoint that is no note',
  seal(linesOf({ ...single, checkpoints: [single.checkpoints[0]!.slice(0, -1)] })),
);
cases.refused(
  'malformed-checkpoint',
  'a note that is no checkpoint',
  seal(
    linesOf({
      ...single,
      checkpoints: [await signNote(`${origin}\n01\n\n`, [{ name: origin, key: logKey }])],
    }),
  ),
);
cases.refused(
  'other-origin',
  'a checkpoint of another origin',
  seal(
    linesOf({
      ...single,
      checkpoints: [await checkpoint(1, leaves[0]!, { origin: 'audit.example.com/other/1' })],
    }),
  ),
);
cases.refused(
  'unknown-consistency',
  'a consistency proof between sizes that no checkpoint has',
  seal(linesOf({ ...single, between: [step] })),
);
cases.refused('proof-in-complete', 'a proof in a complete bundle', seal([...lines, proofLine(0, [])]));
cases.refused(
  'some-no-proof',
  'an incomplete bundle with a record that has no proof',
  seal(someLines.toSpliced(line3 + 1, 1)),
);
cases.refused(
  'some-last-no-proof',
  'an incomplete bundle whose last record has no proof',
  seal(someLines.slice(0, -1)),
);
cases.refused(
  'some-two-proofs',
  'a record with two proofs',
  seal(someLines.toSpliced(line3 + 1, 0, someLines[line3 + 1]!)),
);
cases.refused(
  'some-short-hash',
  'a proof with a hash of 31 bytes',
  seal(someLines.with(line3 + 1, proofLine(3, [new Uint8Array(31)]))),
);
cases.refused(
  'some-stray-bits',
  'a proof in base64 that is not canonical',
  seal(someLines.with(line3 + 1, someLines[line3 + 1]!.replace(/[A-Za-z0-9+/]=/, '/='))),
);
cases.refused(
  'some-index',
  'a proof whose index is no integer',
  seal(someLines.with(line3 + 1, someLines[line3 + 1]!.replace('"index":3', '"index":3.5'))),
);

cases.refused('bytes-after-end', 'half a line after the end', `${good}{"key"`);
cases.refused(
  'spaced-key',
  'a key with a space before it',
  seal(lines.toSpliced(2, 0, `{"key":" ${trusted}"}`)),
);
cases.refused(
  'record-as-consistency',
  'a record line with a space that has the members of a consistency line',
  seal([...lines.slice(0, 2), '{ "record":{"from":1,"hashes":[],"to":1}}', last], { records: 1 }),
);
cases.refused(
  'origin-list',
  'an origin that is a list of one text',
  seal([headerLine.replace(`"${origin}"`, `["${origin}"]`), ...lines.slice(1)]),
  'BUNDLE_DAMAGED',
  null,
);
cases.refused(
  'digest-list',
  'a digest that is a list of one text',
  good.replace(/"sha256":("\w+")/, '"sha256":[$1]'),
);
cases.refused(
  'lone-surrogate',
  'a note with a lone surrogate in a signature line',
  seal([headerLine, checkpointLine.replace(/\\n"}$/, '\\n— a\\ud800 AAAAAAAA\\n"}'), last]),
);
const edited = (at: number, change: number) => zipped.with(at < 0 ? zipped.length + at : at, change);
cases.refused('gzip-method', 'a gzip member of an unknown method', edited(2, 9), 'BUNDLE_DAMAGED', null);
cases.refused('gzip-flag', 'a gzip member with a reserved flag', edited(3, 0x20), 'BUNDLE_DAMAGED', null);
cases.refused(
  'gzip-header-cut',
  'a gzip file cut in its header',
  zipped.subarray(0, 5),
  'BUNDLE_TRUNCATED',
  null,
);
cases.refused('gzip-checksum', 'a gzip member with a wrong checksum', edited(-8, zipped.at(-8)! ^ 1));
cases.refused(
  'gzip-trailer-cut',
  'a gzip file cut in its checksum',
  zipped.subarray(0, -3),
  'BUNDLE_TRUNCATED',
);
cases.refused(
  'gzip-then-text',
  'bytes after a gzip member that are neither a member nor zeros',
  Uint8Array.from([...zipped, 0x0a]),
);
cases.refused('gzip-twice', 'a bundle that was compressed twice', stored(zipped), 'BUNDLE_DAMAGED', null);
cases.refused(
  'gzip-byte-order-mark',
  'a compressed byte-order mark',
  stored(Buffer.from(`\ufeff${good}`)),
  'BUNDLE_DAMAGED',
  null,
);

export const refusedBundles = cases.cases;
