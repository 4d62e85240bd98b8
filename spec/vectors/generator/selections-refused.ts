import { statement } from './bundles-rotated.ts';
import { checkpoint } from './fixture.ts';
import { root } from './naive-tree.ts';
import { refusedSelection, type SelectionCase } from './selection-case.ts';
import {
  archiveOf,
  archiveWith,
  covered,
  entriesOf,
  filesOf,
  head,
  leaves,
  manifestOf,
  selected,
} from './selection-parts.ts';
import { zip } from './zip-writer.ts';

const plain = filesOf(selected);
const entries = entriesOf(plain);
const { manifest } = plain;
const refused = refusedSelection;
const bytes = (text: string) => new TextEncoder().encode(text);
const manifestWith = (file: string, name: string, text: string) =>
  refused(file, name, { ...plain, manifest: text });

/** Archives that a verifier does not judge: they are not what the specification says. */
export const refusedSelections: readonly SelectionCase[] = [
  manifestWith('manifest-space', 'a manifest with a space', manifest.replace(':1,', ': 1,')),
  manifestWith('manifest-no-end', 'a manifest without its end', manifest.slice(0, -1)),
  manifestWith('manifest-version', 'another version', manifest.replace(':1,', ':2,')),
  manifestWith(
    'manifest-number',
    'a number that is written in another way',
    manifest.replace(':1,', ':1.0,'),
  ),
  manifestWith(
    'manifest-member',
    'a member that is not known',
    manifest.replace('"rotations"', '"note":"","rotations"'),
  ),
  manifestWith(
    'manifest-order',
    'members in another order',
    `${JSON.stringify({ origin: 'x', ...JSON.parse(manifest) })}\n`,
  ),
  manifestWith(
    'epochs-descend',
    'epochs that descend',
    manifestOf([
      [2, 1],
      [1, 3],
    ]),
  ),
  manifestWith('epoch-empty', 'an epoch without records', manifestOf([[1, 0]])),
  manifestWith('epoch-too-high', 'an epoch that no log has', manifestOf([[2 ** 31, 4]])),
  manifestWith(
    'rotation-malformed',
    'a rotation that is none',
    manifestOf([[1, 4]], { rotations: [{ statement, more: 1 }] }),
  ),
  manifestWith('origin-malformed', 'an origin that is none', manifestOf([[1, 4]], { origin: 'acme' })),
  refused('other-log', 'the checkpoint of another log', {
    ...plain,
    checkpoint: await checkpoint(covered, root(leaves), { origin: 'audit.example.com/globex/1' }),
  }),
  refused('no-checkpoint', 'a checkpoint that is none', { ...plain, checkpoint: head.slice(0, 20) }),
  refused('record-no-end', 'a last record without the end of its line', {
    ...plain,
    'records.jsonl': plain['records.jsonl'].slice(0, -1),
  }),
  refused('table-no-end', 'a last line of the table without its end', {
    ...plain,
    'events.csv': plain['events.csv'].slice(0, -2),
  }),
  refused(
    'not-utf8',
    'a table that is not UTF-8',
    archiveWith(plain, 'events.csv', { data: Uint8Array.of(0xff, 0x0a) }),
  ),
  refused('zip-file-less', 'a file less', zip(entries.slice(1))),
  refused(
    'zip-file-more',
    'a file more',
    zip([...entries, { name: 'README', data: bytes('all is well\n') }]),
  ),
  refused('zip-file-twice', 'a file twice', zip(entries.with(0, entries[1]!))),
  refused('zip-other-name', 'a file of another name', archiveWith(plain, 'manifest', { name: 'Manifest' })),
  refused(
    'zip-two-names',
    'another name in the header of a file',
    archiveWith(plain, 'manifest', { header: { name: 'manifesT' } }),
  ),
  refused(
    'zip-name-field',
    'a name that only a field of Info-ZIP states',
    archiveWith(plain, 'manifest', { listedAs: 'readme' }),
  ),
  refused(
    'zip-two-sizes',
    'another size in the header of a file',
    archiveWith(plain, 'manifest', { header: { size: 3 } }),
  ),
  refused(
    'zip-two-methods',
    'another compression in the header of a file',
    archiveWith(plain, 'manifest', { header: { method: 8 } }),
  ),
  refused('zip-encrypted', 'a file that is encrypted', archiveWith(plain, 'manifest', { flags: 1 })),
  refused(
    'zip-unknown-method',
    'a compression that is not known',
    archiveWith(plain, 'manifest', { method: 12 }),
  ),
  refused(
    'zip-wrong-size',
    'a size that is not the true one',
    archiveWith(plain, 'events.csv', { isDeflated: true, size: 9 }),
  ),
  refused(
    'zip-hidden-file',
    'a file that is not in the directory',
    zip([...entries, { ...entries[4]!, isHidden: true }]),
  ),
  refused('zip-bytes-between', 'bytes before the directory', archiveOf(plain, { before: bytes('x') })),
  refused('zip-comment', 'a comment', archiveOf(plain, { comment: 'verified' })),
  refused('zip-file-comment', 'a comment on a file', archiveWith(plain, 'manifest', { comment: 'verified' })),
  refused('zip-directory-size', 'a directory of another size', archiveOf(plain, { size: -1 })),
  refused('zip-cut', 'half an archive', archiveOf(plain).slice(0, 900)),
];
