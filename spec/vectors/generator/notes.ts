import {
  formatTlogProof,
  parseVerifierKey,
  type SealedOpening,
  sealedCommitment,
  signNote,
} from '@tallystick/log';
import {
  base64,
  chain,
  checkpoint,
  digest,
  flip,
  forge,
  hex,
  logKey,
  origin,
  otherKey,
  trusted,
  verifierKey,
} from './fixture.ts';
import { inclusion, leavesOf, root } from './naive-tree.ts';

const name = 'example.com/foo';
const own = verifierKey(name, logKey);
const other = verifierKey(name, otherKey);
const text = 'Ein Kerbholz\nis a tally stick\n';

/** Replaces one place in a text. Throws if the place does not occur, because the vector would then be unchanged. */
function swap(whole: string, from: string | RegExp, to: string): string {
  const swapped = whole.replace(from, to);
  if (swapped === whole) throw new Error(`${String(from)} does not occur`);
  return swapped;
}

export async function noteVectors(): Promise<unknown> {
  const note = await signNote(text, [{ name, key: logKey }]);
  const both = await signNote(text, [
    { name, key: logKey },
    { name, key: otherKey },
  ]);
  const mixed = await signNote(text, [
    { name: 'unknown.example', key: otherKey },
    { name, key: logKey },
  ]);
  const line = note.slice(text.length + 1);
  const head = note.slice(0, text.length + 1);
  const signature = new Uint8Array(Buffer.from(line.trim().split(' ')[2]!, 'base64'));
  const signed = (bytes: Uint8Array, by = name) => `${head}— ${by} ${base64(bytes)}\n`;
  const [, id, material] = own.split('+') as [string, string, string];
  const example = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
  return {
    description:
      'C2SP signed-note. keys: verifier keys and their parts. malformed_keys: texts that are not verifier keys. notes: opened with the keys given, with the keys that signed. refused: with NOTE_MALFORMED, NOTE_UNVERIFIED (no known key signed) or SIGNATURE_INVALID (a known key did not).',
    keys: [example, own, other, trusted].map((key) => {
      const verifier = parseVerifierKey(key);
      return { key, name: verifier.name, key_id: hex(verifier.keyId), public_key: hex(verifier.publicKey) };
    }),
    malformed_keys: [
      { name: 'nothing', key: '' },
      { name: 'a name alone', key: name },
      { name: 'no name', key: `+${id}+${material}` },
      { name: 'a name with a space', key: `a b+${id}+${material}` },
      { name: 'an upper-case key id', key: `${name}+${id.toUpperCase()}+${material}` },
      { name: "another key's id", key: `${name}+${other.split('+')[1]}+${material}` },
      { name: "another name's id", key: `${name}o+${id}+${material}` },
      { name: 'another algorithm', key: `${name}+${id}+${base64(Uint8Array.of(2, ...logKey.publicKey))}` },
      { name: 'a short key', key: `${name}+${id}+${base64(Uint8Array.of(1, ...logKey.publicKey.slice(1)))}` },
      { name: 'not base64', key: `${name}+${id}+${'-_'.repeat(22)}` },
    ],
    notes: [
      { name: 'one signature', note, keys: [own], text, signed_by: [own] },
      { name: 'two signatures', note: both, keys: [own, other], text, signed_by: [own, other] },
      { name: 'two signatures, one known', note: both, keys: [other], text, signed_by: [other] },
      { name: 'an unknown signer first', note: mixed, keys: [own], text, signed_by: [own] },
      { name: 'a wrong signature by an unknown key', note: forge(both), keys: [own], text, signed_by: [own] },
      {
        name: 'a witness signature of another length',
        note: note + signed(new Uint8Array(76), 'witness.example').slice(head.length),
        keys: [own],
        text,
        signed_by: [own],
      },
      {
        name: 'an empty line in the text',
        note: await signNote('a\n\nb\n', [{ name, key: logKey }]),
        keys: [own],
        text: 'a\n\nb\n',
        signed_by: [own],
      },
    ],
    refused: [
      { name: 'no keys', note, keys: [], code: 'NOTE_UNVERIFIED' },
      { name: 'another key of that name', note, keys: [other], code: 'NOTE_UNVERIFIED' },
      {
        name: 'that key under another name',
        note,
        keys: [verifierKey('example.com/bar', logKey)],
        code: 'NOTE_UNVERIFIED',
      },
      {
        name: 'a key id with a bit changed',
        note: signed(flip(signature)),
        keys: [own],
        code: 'NOTE_UNVERIFIED',
      },
      { name: 'a signature with a bit changed', note: forge(note), keys: [own], code: 'SIGNATURE_INVALID' },
      {
        name: 'a text with a letter changed',
        note: swap(note, 'tally', 'rally'),
        keys: [own],
        code: 'SIGNATURE_INVALID',
      },
      {
        name: 'a signature cut short',
        note: signed(signature.slice(0, -1)),
        keys: [own],
        code: 'SIGNATURE_INVALID',
      },
      { name: 'two known keys, one wrong', note: forge(both), keys: [own, other], code: 'SIGNATURE_INVALID' },
      {
        name: 'a second, wrong signature by the same key',
        note: note + forge(note).slice(head.length),
        keys: [own],
        code: 'SIGNATURE_INVALID',
      },
      {
        name: 'an S that is not reduced',
        note: signed(unreduced(signature)),
        keys: [own],
        code: 'SIGNATURE_INVALID',
      },
      ...(
        [
          ['nothing', ''],
          ['no signature', head],
          ['no empty line', text + line],
          ['no final newline', note.slice(0, -1)],
          ['a newline more', `${note}\n`],
          ['Windows line ends', note.replaceAll('\n', '\r\n')],
          ['a tab in the text', swap(note, 'tally ', 'tally\t')],
          ['U+0000 in the text', swap(note, 'tally ', 'tally\0')],
          ['a hyphen for the dash', swap(note, '—', '-')],
          ['two spaces', swap(note, '— ', '—  ')],
          ['a trailing space', `${note.slice(0, -1)} \n`],
          ['a plus in the name', swap(note, `— ${name}`, '— example.com+foo')],
          ['base64 without padding', `${head}— ${name} AAAAAAA\n`],
          ['base64 with stray bits', `${head}— ${name} AAAAAAB=\n`],
          ['no signature bytes', `${head}— ${name} AAAAAA==\n`],
          ['a line that is no signature', `${note}hello\n`],
        ] as const
      ).map(([what, bad]) => ({ name: what, note: bad, keys: [own], code: 'NOTE_MALFORMED' })),
    ],
  };
}

/** The signature with the group order added to S. It is valid modulo the order, and must be refused (RFC 8032 section 5.1.7). */
function unreduced(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${hex(signature.slice(36).toReversed())}`) + order;
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
  return Uint8Array.of(...signature.slice(0, 36), ...bytes);
}

export function checkpointVectors(): unknown {
  const hash = digest('root');
  const encoded = base64(hash);
  const good = `${origin}\n42\n${encoded}\n`;
  return {
    description: 'C2SP tlog-checkpoint, the text that is signed; and origins, which are also key names.',
    valid: [0, 42, Number.MAX_SAFE_INTEGER].map((size) => ({
      text: `${origin}\n${size}\n${encoded}\n`,
      origin,
      size,
      root: hex(hash),
    })),
    malformed: (
      [
        ['nothing', ''],
        ['no root', `${origin}\n42\n`],
        ['no final newline', good.slice(0, -1)],
        ['no origin', `\n42\n${encoded}\n`],
        ['an extension line', `${good}more\n`],
        ['an empty line more', `${good}\n`],
        ['a leading zero', swap(good, '42', '042')],
        ['a plus sign', swap(good, '42', '+42')],
        ['a negative size', swap(good, '42', '-42')],
        ['a hexadecimal size', swap(good, '42', '0x2a')],
        ['digits of another script', swap(good, '42', '٤٢')],
        ['a space', swap(good, '42', '42 ')],
        ['a size past 2^53 - 1', swap(good, '42', '9007199254740992')],
        ['a short root', swap(good, encoded, base64(hash.slice(1)))],
        ['a long root', swap(good, encoded, base64(Uint8Array.of(...hash, 0)))],
        ['a root without padding', swap(good, encoded, encoded.slice(0, -1))],
        ['Windows line ends', good.replaceAll('\n', '\r\n')],
      ] as const
    ).map(([what, bad]) => ({ name: what, text: bad })),
    origins: [
      { origin: 'audit.example.com/acme/1', log_name: 'audit.example.com', tenant_id: 'acme', epoch: 1 },
      { origin: 'a/b/A:b@c_d/12', log_name: 'a/b', tenant_id: 'A:b@c_d', epoch: 12 },
    ],
    malformed_origins: [
      '',
      'acme/1',
      '/acme/1',
      'a.example/acme',
      'a.example/acme/0',
      'a.example/acme/01',
      'a.example//1',
      'A.example/acme/1',
      'a example/acme/1',
      'a.example/acme/1\n',
      'https://a.example/acme/1',
      'a.example/.acme/1',
    ],
  };
}

export async function tlogProofVectors(): Promise<unknown> {
  const records = chain(7);
  const leaves = leavesOf(records);
  const note = await checkpoint(7, root(leaves));
  const proof = (index: number, changes: object = {}) =>
    formatTlogProof({ index, inclusion: inclusion(index, leaves), checkpoint: note, ...changes });
  const good = proof(5);
  const elsewhere = await checkpoint(7, root(leaves), { origin: 'audit.example.com/other/1', name: origin });
  const single = formatTlogProof({ index: 0, inclusion: [], checkpoint: await checkpoint(1, leaves[0]!) });
  const extra = new TextEncoder().encode(records[5]!.text);
  const refused = (what: string, bad: string, code: string, keys = [trusted]) => ({
    name: what,
    proof: bad,
    record_hash: records[5]!.hashHex,
    keys,
    code,
  });
  return {
    description:
      'C2SP tlog-proof. valid: the record is proven by the proof and one of the keys. refused, for a record of that hash: with PROOF_MALFORMED, PROOF_INVALID, CHECKPOINT_MALFORMED or a code of notes.json.',
    valid: [
      { name: 'a proof', proof: good, record: records[5]!.text, keys: [trusted], index: 5, size: 7, origin },
      {
        name: 'with the record as extra data',
        proof: proof(5, { extra }),
        record: records[5]!.text,
        keys: [trusted],
        index: 5,
        size: 7,
        origin,
      },
      {
        name: 'of the only record',
        proof: single,
        record: records[0]!.text,
        keys: [trusted],
        index: 0,
        size: 1,
        origin,
      },
    ],
    refused: [
      refused('another record', proof(4), 'PROOF_INVALID'),
      refused('another index', swap(good, 'index 5', 'index 4'), 'PROOF_INVALID'),
      refused('an index outside the tree', swap(good, 'index 5', 'index 7'), 'PROOF_INVALID'),
      refused('a hash less', proof(5, { inclusion: inclusion(5, leaves).slice(1) }), 'PROOF_INVALID'),
      refused('a hash more', proof(5, { inclusion: [...inclusion(5, leaves), leaves[0]!] }), 'PROOF_INVALID'),
      refused('no trusted key', good, 'NOTE_UNVERIFIED', []),
      refused(
        "another log's checkpoint, signed under this name",
        proof(5, { checkpoint: elsewhere }),
        'NOTE_UNVERIFIED',
      ),
      refused('a larger tree than was signed', swap(good, '\n7\n', '\n8\n'), 'SIGNATURE_INVALID'),
      refused(
        'a signed text that is no checkpoint',
        proof(5, { checkpoint: await signNote(`${origin}\n07\n\n`, [{ name: origin, key: logKey }]) }),
        'CHECKPOINT_MALFORMED',
      ),
      refused('a checkpoint without its last newline', good.slice(0, -1), 'NOTE_MALFORMED'),
      ...(
        [
          ['nothing', ''],
          ['another version', swap(good, '@v1', '@v2')],
          ['a line before the header', `\n${good}`],
          ['no checkpoint', good.slice(0, good.indexOf('\n\n') + 1)],
          ['no index', swap(good, 'index 5\n', '')],
          ['an index with a leading zero', swap(good, 'index 5', 'index 05')],
          ['extra data after the index', swap(good, 'index 5\n', 'index 5\nextra AQID\n')],
          ['extra data with stray bits', swap(good, 'index 5', 'extra AQJ=\nindex 5')],
          ['a hash of 31 bytes', swap(good, 'index 5\n', `index 5\n${base64(new Uint8Array(31))}\n`)],
          ['Windows line ends', good.replaceAll('\n', '\r\n')],
        ] as const
      ).map(([what, bad]) => refused(what, bad, 'PROOF_MALFORMED')),
    ],
  };
}

export function sealedVectors(): unknown {
  const salt = digest('salt');
  const commit = (pointer: string, value: unknown, opening: Partial<SealedOpening> = {}) =>
    sealedCommitment(pointer, { salt, value, ...opening });
  const value = { b: [1, 2.5], a: 'ä' };
  const good = commit('/metadata/ip', value);
  return {
    description:
      'Openings of sealed fields: whether pointer, salt (hex) and value open the commitment. Which pointers may be sealed is in events.json.',
    openings: [
      { name: 'an object', pointer: '/metadata/ip', salt: hex(salt), value, commitment: good, opens: true },
      {
        name: 'its members in another order',
        pointer: '/metadata/ip',
        salt: hex(salt),
        value: { a: 'ä', b: [1, 2.5] },
        commitment: good,
        opens: true,
      },
      {
        name: 'null',
        pointer: '/context/a~1b',
        salt: hex(salt),
        value: null,
        commitment: commit('/context/a~1b', null),
        opens: true,
      },
      {
        name: 'another value',
        pointer: '/metadata/ip',
        salt: hex(salt),
        value: { ...value, a: 'a' },
        commitment: good,
        opens: false,
      },
      {
        name: 'another pointer',
        pointer: '/metadata/pi',
        salt: hex(salt),
        value,
        commitment: good,
        opens: false,
      },
      {
        name: 'another salt',
        pointer: '/metadata/ip',
        salt: hex(flip(salt)),
        value,
        commitment: good,
        opens: false,
      },
    ],
  };
}
