import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64, toHex } from '../src/bytes.ts';
import { importSigningKey } from '../src/ed25519.ts';
import {
  createVerifier,
  formatVerifierKey,
  openNote,
  parseNote,
  parseVerifierKey,
  signNote,
} from '../src/note.ts';
import { flip } from './tree/naive-tree.ts';

const key = await importSigningKey(new Uint8Array(32).fill(1));
const other = await importSigningKey(new Uint8Array(32).fill(2));
const verifier = createVerifier('example.com/foo', key.publicKey);
const otherVerifier = createVerifier('example.com/foo', other.publicKey);
const text =
  'If you think cryptography is the answer to your problem,\nthen you don’t know what your problem is.\n';
const note = await signNote(text, [{ name: 'example.com/foo', key }]);
const malformed = expect.objectContaining({ code: 'NOTE_MALFORMED' });

describe('verifier keys', () => {
  it("reads the signed-note specification's example, and writes it again", () => {
    const example = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
    const parsed = parseVerifierKey(example);
    expect(parsed.name).toBe('example.com/foo');
    expect(toHex(parsed.keyId)).toBe('530d903a');
    expect(toHex(parsed.publicKey)).toBe('e932791ae6e7a840a46164c904786426d5e7821dd8b29a00d61cae72afdd4da4');
    expect(formatVerifierKey(parsed)).toBe(example);
    expect(parseVerifierKey(`${example}\n`)).toEqual(parsed);
  });

  it('come back as they were, plus signs of base64 included', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.stringMatching(/^[a-z./-]{1,20}$/),
        (bytes, name) => {
          const one = createVerifier(name, bytes);
          const read = parseVerifierKey(formatVerifierKey(one));
          expect([read.name, toHex(read.keyId), toHex(read.publicKey)]).toEqual([
            name,
            toHex(one.keyId),
            toHex(bytes),
          ]);
        },
      ),
    );
  });

  const good = formatVerifierKey(verifier);
  const [name, id, material] = good.split(/\+/) as [string, string, string];
  it.each([
    ['nothing', ''],
    ['a name alone', name],
    ['no key', `${name}+${id}`],
    ['no name', `+${id}+${material}`],
    ['an upper-case key id', `${name}+${id.toUpperCase()}+${material}`],
    ['a longer key id', `${name}+${id}00+${material}`],
    ["another key's id", `${name}+00000000+${material}`],
    ["another name's id", `${name}x+${id}+${material}`],
    ['a name with a space', `a b+${id}+${material}`],
    ['another algorithm', `${name}+${id}+${toBase64(Uint8Array.of(2, ...verifier.publicKey))}`],
    ['a shorter key', `${name}+${id}+${toBase64(Uint8Array.of(1, ...verifier.publicKey.slice(1)))}`],
    ['a longer key', `${name}+${id}+${toBase64(Uint8Array.of(1, ...verifier.publicKey, 0))}`],
    ['base64 without its padding', good.replace(/=+$/, '').slice(0, -1)],
    ['URL-safe base64', `${name}+${id}+${'-_'.repeat(22)}`],
  ])('refuse %s', (_, bad) => {
    expect(() => parseVerifierKey(bad)).toThrow(expect.objectContaining({ code: 'KEY_MALFORMED' }));
  });

  it.each(['', 'a b', 'a+b', 'a\n', 'a\u00a0b', 'a\u2028b', 'a\u0000b'])('refuse the name %j', (bad) => {
    expect(() => createVerifier(bad, verifier.publicKey)).toThrow(
      expect.objectContaining({ code: 'KEY_MALFORMED' }),
    );
  });
});

describe('a note', () => {
  it('opens with the key that signed it', async () => {
    expect(await openNote(note, [verifier])).toEqual({ text, verifiedBy: [verifier] });
    expect(parseNote(note).signatures).toHaveLength(1);
    expect(note.startsWith(`${text}\n— example.com/foo `)).toBe(true);
  });

  it('opens whatever its text, and with one character of it changed it does not', async () => {
    const line = fc
      .string({ unit: 'binary', maxLength: 8 })
      .filter((one) => [...one].every((unit) => unit >= ' '));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 4 }), fc.nat(), async (lines, seed) => {
        const own = `${lines.join('\n')}\n`;
        const signed = await signNote(own, [{ name: 'example.com/foo', key }]);
        expect((await openNote(signed, [verifier])).text).toBe(own);
        const at = seed % own.length;
        const changed = `${own.slice(0, at)}~${own.slice(at + (own[at] === '\n' ? 0 : 1))}${signed.slice(own.length)}`;
        fc.pre(changed !== signed && changed.isWellFormed());
        await expect(openNote(changed, [verifier])).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
      }),
      { numRuns: 50 },
    );
  });

  it('ignores signers that are not known, and says which known ones signed', async () => {
    const both = await signNote(text, [
      { name: 'unknown.example', key: other },
      { name: 'example.com/foo', key },
      { name: 'example.com/foo', key: other },
    ]);
    expect((await openNote(both, [verifier])).verifiedBy).toEqual([verifier]);
    expect((await openNote(both, [verifier, otherVerifier])).verifiedBy).toEqual([verifier, otherVerifier]);
  });

  it('that no known key signed does not open', async () => {
    const unverified = { code: 'NOTE_UNVERIFIED' };
    await expect(openNote(note, [])).rejects.toMatchObject(unverified);
    // Key ids are four bytes: names are compared too.
    await expect(openNote(note, [{ ...verifier, name: 'example.com/bar' }])).rejects.toMatchObject(
      unverified,
    );
    // The same name with another key, and the same key under another name, are other signers.
    await expect(openNote(note, [otherVerifier])).rejects.toMatchObject(unverified);
    await expect(openNote(note, [createVerifier('example.com/bar', key.publicKey)])).rejects.toMatchObject(
      unverified,
    );
  });

  it('of two signatures by known keys, one bad, does not open', async () => {
    const both = await signNote(text, [
      { name: 'example.com/foo', key },
      { name: 'example.com/foo', key: other },
    ]);
    const lines = both.split('\n');
    const last = lines.at(-2)!.split(' ');
    const forged = flip(fromBase64(last[2]!)!, 300);
    const bad = `${[...lines.slice(0, -2), `${last[0]} ${last[1]} ${toBase64(forged)}`].join('\n')}\n`;
    await expect(openNote(bad, [verifier, otherVerifier])).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
    expect((await openNote(bad, [verifier])).verifiedBy).toEqual([verifier]);
  });

  it('with a wrong key id has no signature of a known key', async () => {
    const [start, signature] = note.split('— example.com/foo ') as [string, string];
    const bytes = fromBase64(signature.trim())!;
    const moved = `${start}— example.com/foo ${toBase64(flip(bytes))}\n`;
    await expect(openNote(moved, [verifier])).rejects.toMatchObject({ code: 'NOTE_UNVERIFIED' });
  });

  it('whose signature is cut short is refused', async () => {
    const [start, signature] = note.split('— example.com/foo ') as [string, string];
    const bytes = fromBase64(signature.trim())!;
    const cut = `${start}— example.com/foo ${toBase64(bytes.slice(0, -1))}\n`;
    await expect(openNote(cut, [verifier])).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  const [start, line] = [note.slice(0, text.length + 1), note.slice(text.length + 1)];
  it.each([
    ['nothing', ''],
    ['no signature', `${text}\n`],
    ['no empty line', text + line],
    ['no final newline', note.slice(0, -1)],
    ['an empty line at the end', `${note}\n`],
    ['Windows line ends', note.replaceAll('\n', '\r\n')],
    ['a tab in the text', note.replace(' ', '\t')],
    ['U+0000 in the text', note.replace(' ', '\0')],
    ['a lone surrogate in the text', note.replace('’', '\ud800')],
    ['a hyphen for the dash', `${start}-${line.slice(1)}`],
    ['an en dash', `${start}–${line.slice(1)}`],
    ['two spaces', `${start}${line.replace('— ', '—  ')}`],
    ['a trailing space', `${start}${line.replace('\n', ' \n')}`],
    ['a name with a plus', `${start}${line.replace('example.com/foo', 'example.com+foo')}`],
    ['no signature bytes', `${start}— example.com/foo AAAAAA==\n`],
    ['base64 without padding', `${start}— example.com/foo AAAAAAA\n`],
    ['non-canonical base64', `${start}— example.com/foo AAAAAAB=\n`],
    ['a line between the signatures that is not a signature', `${note}hello\n`],
    ['too many signatures', start + line.repeat(101)],
    ['more than a mebibyte', `${'x'.repeat(1 << 20)}\n\n${line}`],
  ])('with %s is malformed', (_, bad) => {
    expect(() => parseNote(bad)).toThrow(malformed);
  });

  it('may have a hundred signatures', () => {
    expect(parseNote(start + line.repeat(100)).signatures).toHaveLength(100);
  });

  it('is not made of a text that could not be one', async () => {
    for (const bad of ['', 'no newline', 'tab\t\n', '\ud800\n']) {
      await expect(signNote(bad, [{ name: 'example.com/foo', key }])).rejects.toMatchObject({
        code: 'NOTE_MALFORMED',
      });
    }
    await expect(signNote(text, [{ name: 'a b', key }])).rejects.toMatchObject({ code: 'KEY_MALFORMED' });
  });
});
