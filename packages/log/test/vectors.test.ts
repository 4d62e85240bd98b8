import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalize, isCanonical, parseTimestamp, readEvent } from '@tallystick/event';
import { describe, expect, it } from 'vitest';
import { vectorFiles } from '../../../spec/vectors/generate.ts';
import {
  computeRecordHash,
  FrontierBuilder,
  formatVerifierKey,
  fromBase64,
  fromHex,
  leafHash,
  openNote,
  parseCheckpoint,
  parseOrigin,
  parseTilePath,
  parseTlogProof,
  parseVerifierKey,
  readRecord,
  sealedCommitment,
  toHex,
  verifyChain,
  verifyConsistency,
  verifyInclusion,
  verifyMultiproof,
  verifyTlogProof,
} from '../src/index.ts';

const folder = join(import.meta.dirname, '../../../spec/vectors');
// biome-ignore lint/suspicious/noExplicitAny: each file has its own shape, which the tests below check
type Case = any;
const load = (name: string): Case => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const coded = (code: string) => expect.objectContaining({ code });
/** One test for each vector, named by it. */
const each = (list: readonly Case[], check: (one: Case) => void | Promise<void>, by = 'name') =>
  it.each(list.map((one) => [String(one[by]).slice(0, 60), one] as const))('%s', (_, one) => check(one));

describe('the vectors', () => {
  it('are what the generator makes, every file and no other', async () => {
    const made = await vectorFiles();
    const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => /\.(json|tally|gz|zip)$/.test(name) && name !== 'biome.json');
    expect(found.toSorted()).toEqual([...made.keys()].toSorted());
    for (const [name, content] of made) {
      expect(Buffer.compare(readFileSync(join(folder, name)), content), name).toBe(0);
    }
  });
});

describe('canonical.json', () => {
  const vectors = load('canonical.json');
  each(vectors.canonical, ({ text, canonical, sha256 }) => {
    expect(canonicalize(JSON.parse(text))).toBe(canonical);
    expect(isCanonical(canonical)).toBe(true);
    expect(createHash('sha256').update(canonical).digest('hex')).toBe(sha256);
  });
  each(
    vectors.numbers,
    ({ bits, text }) => {
      expect(canonicalize(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
    },
    'bits',
  );
  each(vectors.not_canonical, ({ text }) => expect(isCanonical(text)).toBe(false));
});

describe('events.json', () => {
  const vectors = load('events.json');
  const now = parseTimestamp(vectors.now);
  each(vectors.valid, ({ text, canonical }) => {
    expect(readEvent(text, { now }).canonical).toBe(canonical);
    expect(readEvent(new TextEncoder().encode(text), { now }).canonical).toBe(canonical);
  });
  each(vectors.invalid, ({ text, base64, fill, code, pointer }) => {
    const { unit, times } = (fill ?? { unit: '#', times: 1 }) as { unit: string; times: number };
    const input =
      base64 === undefined ? (text as string).replace('#', () => unit.repeat(times)) : fromBase64(base64)!;
    expect(() => readEvent(input, { now })).toThrow(expect.objectContaining({ code, pointer }));
  });
});

describe('records.json', () => {
  const vectors = load('records.json');
  each(vectors.valid, ({ record, record_hash }) => {
    expect(computeRecordHash(record)).toBe(record_hash);
    expect(canonicalize(readRecord(record))).toBe(record);
  });
  each(vectors.malformed, ({ record }) => {
    const { findings } = verifyChain([{ text: record }], { tenantId: vectors.tenant_id });
    expect(findings.map((one) => one.code)).toEqual(['RECORD_NOT_CANONICAL']);
  });
  each(vectors.chains, ({ records, findings }) => {
    const stored = (records as (string | number)[]).map((one) => ({
      text: typeof one === 'string' ? one : (vectors.plain[one] as string),
    }));
    const { findings: found } = verifyChain(stored, { tenantId: vectors.tenant_id, origin: vectors.origin });
    expect(found.map((one) => `${one.code}@${one.sequence_number}`)).toEqual(findings);
  });
});

describe('multiproofs.json', () => {
  each(load('multiproofs.json').multiproofs, ({ size, indexes, record_hashes, root, hashes, valid }) => {
    const leaves = (indexes as number[]).map((index, at) => ({
      index,
      hash: leafHash(fromHex(record_hashes[at])!),
    }));
    const proof = (hashes as string[]).map((hash) => fromBase64(hash)!);
    const check = () => verifyMultiproof(leaves, size, proof, fromHex(root)!);
    if (valid) check();
    else expect(check).toThrow(coded('PROOF_INVALID'));
  });
});

describe('tree.json and proofs.json', () => {
  const vectors = load('tree.json');
  const leaf = (index: number) => leafHash(createHash('sha256').update(String(index)).digest());

  it('roots and tiles', () => {
    const builder = new FrontierBuilder();
    const tiles = new Map<string, string>();
    const roots = new Map<number, string>([[0, toHex(builder.root())]]);
    const wanted = new Set<number>(vectors.roots.map((one: { size: number }) => one.size));
    for (let size = 1; size <= Math.max(...wanted); size++) {
      builder.append(leaf(size - 1), (level, root) =>
        tiles.set(`${level}/${size / 256 ** (level + 1) - 1}`, toHex(root)),
      );
      if (wanted.has(size)) roots.set(size, toHex(builder.root()));
    }
    for (const { size, root } of vectors.roots) expect(roots.get(size), `size ${size}`).toBe(root);
    for (const { level, index, root } of vectors.tiles) expect(tiles.get(`${level}/${index}`)).toBe(root);
  });

  it('paths', () => {
    for (const { path, ...tile } of vectors.paths) expect(parseTilePath(path)).toEqual(tile);
    for (const path of vectors.malformed_paths)
      expect(() => parseTilePath(path)).toThrow(coded('TREE_RANGE'));
  });

  const proofs = load('proofs.json');
  const bytes = (list: readonly string[]) => list.map((one) => fromBase64(one)!);
  const holds = (valid: boolean, check: () => void) => {
    if (valid) check();
    else expect(check).toThrow(coded('PROOF_INVALID'));
  };
  each(proofs.inclusion, ({ index, size, record_hash, root, hashes, valid }) => {
    holds(valid, () =>
      verifyInclusion(index, size, leafHash(fromHex(record_hash)!), bytes(hashes), fromHex(root)!),
    );
  });
  each(proofs.consistency, ({ from, to, from_root, to_root, hashes, valid }) => {
    holds(valid, () => verifyConsistency(from, to, bytes(hashes), fromHex(from_root)!, fromHex(to_root)!));
  });
});

describe('notes.json', () => {
  const vectors = load('notes.json');
  const verifiers = (keys: readonly string[]) => keys.map(parseVerifierKey);
  each(
    vectors.keys,
    ({ key, name, key_id, public_key }) => {
      const verifier = parseVerifierKey(key);
      expect([verifier.name, toHex(verifier.keyId), toHex(verifier.publicKey)]).toEqual([
        name,
        key_id,
        public_key,
      ]);
    },
    'key',
  );
  each(vectors.malformed_keys, ({ key }) =>
    expect(() => parseVerifierKey(key)).toThrow(coded('KEY_MALFORMED')),
  );
  each(vectors.notes, async ({ note, keys, text, signed_by }) => {
    const opened = await openNote(note, verifiers(keys));
    expect(opened.text).toBe(text);
    expect(opened.verifiedBy.map(formatVerifierKey)).toEqual(signed_by);
  });
  each(vectors.refused, async ({ note, keys, code }) => {
    await expect(openNote(note, verifiers(keys))).rejects.toMatchObject({ code });
  });
});

describe('checkpoints.json', () => {
  const vectors = load('checkpoints.json');
  const malformed = coded('CHECKPOINT_MALFORMED');
  each(
    vectors.valid,
    ({ text, origin, size, root }) => {
      const checkpoint = parseCheckpoint(text);
      expect({ ...checkpoint, root: toHex(checkpoint.root) }).toEqual({ origin, size, root });
    },
    'size',
  );
  each(vectors.malformed, ({ text }) => expect(() => parseCheckpoint(text)).toThrow(malformed));
  it('origins', () => {
    for (const { origin, log_name, tenant_id, epoch } of vectors.origins) {
      expect(parseOrigin(origin)).toEqual({ logName: log_name, tenantId: tenant_id, epoch });
    }
    for (const origin of vectors.malformed_origins)
      expect(() => parseOrigin(origin), origin).toThrow(malformed);
  });
});

describe('tlog-proof.json', () => {
  const vectors = load('tlog-proof.json');
  const verify = async (proof: string, hash: string, keys: readonly string[]) =>
    verifyTlogProof(parseTlogProof(proof), fromHex(hash)!, keys.map(parseVerifierKey));
  each(vectors.valid, async ({ proof, record, keys, index, size, origin }) => {
    expect(parseTlogProof(proof).index).toBe(index);
    expect(await verify(proof, computeRecordHash(record), keys)).toMatchObject({ size, origin });
  });
  each(vectors.refused, async ({ proof, record_hash, keys, code }) => {
    await expect(verify(proof, record_hash, keys)).rejects.toMatchObject({ code });
  });
});

describe('sealed.json', () => {
  each(load('sealed.json').openings, ({ pointer, salt, value, commitment, opens }) => {
    expect(sealedCommitment(pointer, { salt: fromHex(salt)!, value }) === commitment).toBe(opens);
  });
});
