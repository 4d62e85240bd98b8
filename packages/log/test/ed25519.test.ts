import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../src/bytes.ts';
import { importSigningKey, verifySignature } from '../src/ed25519.ts';
import { flip } from './tree/naive-tree.ts';

/** RFC 8032 section 7.1. */
const vectors = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
];

describe('Ed25519', () => {
  it.each(vectors)('signs and verifies RFC 8032, message "$message"', async (vector) => {
    const [seed, message, signature] = [vector.seed, vector.message, vector.signature].map(
      (text) => fromHex(text)!,
    );
    const key = await importSigningKey(seed!);
    expect(toHex(key.publicKey)).toBe(vector.publicKey);
    expect(toHex(await key.sign(message!))).toBe(vector.signature);
    expect(await verifySignature(key.publicKey, message!, signature!)).toBe(true);
    expect(await verifySignature(key.publicKey, Uint8Array.of(...message!, 0), signature!)).toBe(false);
    expect(await verifySignature(key.publicKey, message!, flip(signature!))).toBe(false);
    expect(await verifySignature(key.publicKey, message!, flip(signature!, 300))).toBe(false);
    expect(await verifySignature(flip(key.publicKey), message!, signature!)).toBe(false);
  });

  it('refuses a signature whose S is not reduced: else one message had many signatures', async () => {
    const { publicKey, message, signature } = vectors[1]!;
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const bytes = fromHex(signature)!;
    const s = BigInt(`0x${toHex(bytes.slice(32).toReversed())}`) + order;
    bytes.set(fromHex(s.toString(16).padStart(64, '0'))!.toReversed(), 32);
    expect(await verifySignature(fromHex(publicKey)!, fromHex(message)!, bytes)).toBe(false);
  });

  it('answers no, and does not throw, for keys and signatures of another length', async () => {
    expect(await verifySignature(new Uint8Array(31), new Uint8Array(0), new Uint8Array(64))).toBe(false);
    expect(await verifySignature(new Uint8Array(32), new Uint8Array(0), new Uint8Array(63))).toBe(false);
  });

  it('takes a seed of 32 bytes and no other', async () => {
    await expect(importSigningKey(new Uint8Array(31))).rejects.toMatchObject({ code: 'KEY_MALFORMED' });
  });
});
