import { describe, expect, it } from 'vitest';
import { toBase64, toHex } from '../src/bytes.ts';
import { formatCheckpoint } from '../src/checkpoint.ts';
import { importSigningKey } from '../src/ed25519.ts';
import { createVerifier, signNote } from '../src/note.ts';
import { sha256 } from '../src/sha256.node.ts';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from '../src/tlog-proof.ts';
import { chain, origin } from './fixture.ts';
import { flip, leafOf, NaiveTree } from './tree/naive-tree.ts';

const key = await importSigningKey(new Uint8Array(32).fill(3));
const verifier = createVerifier(origin, key.publicKey);
const records = chain(11);
const tree = new NaiveTree(records.map((record) => leafOf(record.hash)));
const checkpoint = { origin, size: 11, root: tree.root(11) };
const note = await signNote(formatCheckpoint(checkpoint), [{ name: origin, key }]);
const proofOf = (index: number, signed = note) => ({
  index,
  inclusion: tree.path(index, 11),
  checkpoint: signed,
});
const good = formatTlogProof({ ...proofOf(6), extra: Uint8Array.of(1, 2, 3) });
const malformed = expect.objectContaining({ code: 'PROOF_MALFORMED' });

describe('a tlog-proof', () => {
  it('is a text of header, extra data, index, hashes and the checkpoint', () => {
    const hashes = tree.path(6, 11).map((hash) => `${toBase64(hash)}\n`);
    expect(good).toBe(`c2sp.org/tlog-proof@v1\nextra AQID\nindex 6\n${hashes.join('')}\n${note}`);
  });

  it('proves every record of the tree, and comes back as it was', async () => {
    for (const [index, record] of records.entries()) {
      const text = formatTlogProof({ ...proofOf(index), extra: new TextEncoder().encode(record.text) });
      const proof = parseTlogProof(text);
      expect(formatTlogProof(proof)).toBe(text);
      const extra = proof.extra!;
      expect(await verifyTlogProof(proof, sha256(extra), [verifier])).toEqual(checkpoint);
    }
  });

  it('of the only record of a tree has no hashes', async () => {
    const root = tree.root(1);
    const single = await signNote(formatCheckpoint({ origin, size: 1, root }), [{ name: origin, key }]);
    const proof = parseTlogProof(formatTlogProof({ index: 0, inclusion: [], checkpoint: single }));
    expect(proof).toEqual({ index: 0, inclusion: [], checkpoint: single });
    const { root: proven } = await verifyTlogProof(proof, records[0]!.hash, [verifier]);
    expect(toHex(proven)).toBe(toHex(root));
  });

  it.each([
    ['nothing', ''],
    ['another header', good.replace('@v1', '@v2')],
    ['a line before the header', `\n${good}`],
    ['no checkpoint', good.slice(0, good.indexOf('\n\n') + 1)],
    ['no index', good.replace('index 6\n', '')],
    ['an index with a leading zero', good.replace('index 6', 'index 06')],
    ['a negative index', good.replace('index 6', 'index -6')],
    ['an index past 2^53', good.replace('index 6', 'index 9007199254740993')],
    ['an index with a space', good.replace('index 6', 'index 6 ')],
    ['extra data after the index', good.replace('extra AQID\nindex 6', 'index 6\nextra AQID')],
    ['two lines of extra data', good.replace('extra AQID', 'extra AQID\nextra AQID')],
    ['extra data that is not canonical', good.replace('extra AQID', 'extra AQJ=')],
    ['an unknown line', good.replace('index 6', 'index 6\nhello')],
    ['a short hash', good.replace('index 6', `index 6\n${toBase64(new Uint8Array(31))}`)],
    ['Windows line ends', good.replaceAll('\n', '\r\n')],
    [
      '64 hashes',
      formatTlogProof({ index: 0, inclusion: Array(64).fill(checkpoint.root), checkpoint: note }),
    ],
  ])('with %s is malformed', (_, text) => {
    expect(() => parseTlogProof(text)).toThrow(malformed);
  });

  const hash = records[6]!.hash;
  it.each([
    ['another record', 'PROOF_INVALID', proofOf(6), flip(hash), [verifier]],
    ['another index', 'PROOF_INVALID', { ...proofOf(6), index: 7 }, hash, [verifier]],
    ['an index outside the tree', 'PROOF_INVALID', { ...proofOf(6), index: 11 }, hash, [verifier]],
    [
      'a hash less',
      'PROOF_INVALID',
      { ...proofOf(6), inclusion: tree.path(6, 11).slice(1) },
      hash,
      [verifier],
    ],
    [
      'a hash more',
      'PROOF_INVALID',
      { ...proofOf(6), inclusion: [...tree.path(6, 11), hash] },
      hash,
      [verifier],
    ],
    ['no trusted key', 'NOTE_UNVERIFIED', proofOf(6), hash, []],
    [
      'a changed checkpoint',
      'SIGNATURE_INVALID',
      proofOf(6, note.replace('\n11\n', '\n12\n')),
      hash,
      [verifier],
    ],
    ['a checkpoint that is no note', 'NOTE_MALFORMED', proofOf(6, note.slice(0, -1)), hash, [verifier]],
  ] as const)('with %s is refused as %s', async (_, code, proof, recordHash, keys) => {
    await expect(verifyTlogProof(proof, recordHash, keys)).rejects.toMatchObject({ code });
  });

  it('is refused where the signed text is no checkpoint', async () => {
    const signed = await signNote(`${origin}\n011\n\n`, [{ name: origin, key }]);
    await expect(verifyTlogProof(proofOf(6, signed), hash, [verifier])).rejects.toMatchObject({
      code: 'CHECKPOINT_MALFORMED',
    });
  });

  it("is refused where a trusted key signed another log's checkpoint under its own name", async () => {
    const elsewhere = formatCheckpoint({ ...checkpoint, origin: 'audit.example.com/other/1' });
    const signed = await signNote(elsewhere, [{ name: origin, key }]);
    await expect(verifyTlogProof(proofOf(6, signed), hash, [verifier])).rejects.toMatchObject({
      code: 'NOTE_UNVERIFIED',
    });
  });
});
