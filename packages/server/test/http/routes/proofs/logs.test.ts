import { createHash } from 'node:crypto';
import {
  fromBase64,
  fromHex,
  leafHash,
  openNote,
  parseCheckpoint,
  parseNote,
  parseTlogProof,
  parseVerifierKey,
  sha256,
  verifyChain,
  verifyConsistency,
  verifyInclusion,
  verifyTlogProof,
} from '@tallystick/log';
import { verifyReceipt } from '@tallystick/verify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event, Harness } from '../../harness.ts';

let http: Harness;
let key: string;
let receipts: { audit_id: string; sequence_number: number; record_hash: string }[] = [];
beforeAll(async () => {
  http = await Harness.open();
  key = await http.key(['acme']);
  const answer = await http.ingest(
    Array.from({ length: 600 }, () => event()),
    key,
  );
  receipts = answer.json.results.map((one: { receipt: unknown }) => one.receipt);
});
afterAll(() => http[Symbol.asyncDispose]());

const checkpoint = async (query = '') => (await http.get(`/v1/logs/acme/checkpoint${query}`, key)).text;
const verifier = async () => parseVerifierKey((await http.get('/v1/logs/acme/keys', key)).json.keys[0].key);
const hashesOf = (json: { hashes: string[] }) => json.hashes.map((hash) => fromBase64(hash)!);

describe('the log', () => {
  it('signs at the first request, then returns that checkpoint unless the client requests a fresh one', async () => {
    const first = await checkpoint();
    expect(parseCheckpoint(parseNote(first).text)).toMatchObject({ origin: 'log.test/acme/1', size: 601 });
    await openNote(first, [await verifier()]);
    await http.ingest([event()], key);
    expect(await checkpoint()).toBe(first);
    expect(parseCheckpoint(parseNote(await checkpoint('?fresh=true')).text).size).toBe(602);
  });

  it('proves inclusion and consistency', async () => {
    const { size, root } = parseCheckpoint(parseNote(await checkpoint()).text);
    for (const { sequence_number, record_hash } of [receipts[0]!, receipts[255]!, receipts[599]!]) {
      const { json } = await http.get(
        `/v1/logs/acme/proof/inclusion?index=${sequence_number}&size=${size}`,
        key,
      );
      verifyInclusion(sequence_number, size, leafHash(fromHex(record_hash)!), hashesOf(json), root);
    }
    const { size: newSize, root: newRoot } = parseCheckpoint(parseNote(await checkpoint('?fresh=true')).text);
    const { json } = await http.get(`/v1/logs/acme/proof/consistency?from=${size}&to=${newSize}`, key);
    verifyConsistency(size, newSize, hashesOf(json), root, newRoot);
  });

  it.each([
    'proof/inclusion?index=5&size=5',
    'proof/inclusion?index=5&size=100000',
    'proof/inclusion?index=-1&size=5',
    'proof/inclusion?index=1',
    'proof/consistency?from=5&to=3',
    'proof/consistency?from=0&to=3',
    'tile/0/1',
    'tile/0/000.p/256',
    'tile/0/000.p/0',
    'tile/0/x000/000',
    'bundle?first=5&last=4',
    'bundle?last=100000',
    'checkpoint?fresh=1',
  ])('refuses %s', async (path) => {
    const answer = await http.get(`/v1/logs/acme/${path}`, key);
    expect([answer.status, answer.json.code]).toEqual([400, 'PARAMETER_INVALID']);
  });

  it('serves tiles, whole and partial', async () => {
    const tile = async (path: string) => {
      const response = await fetch(`${http.url}/v1/logs/acme/tile/${path}`, {
        headers: { authorization: `Bearer ${key}` },
      });
      return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
    };
    const full = await tile('0/001');
    expect(full.bytes.length).toBe(256 * 32);
    expect(full.bytes.subarray(0, 32)).toEqual(Buffer.from(leafHash(fromHex(receipts[255]!.record_hash)!)));
    expect((await tile('0/002.p/17')).bytes.length).toBe(17 * 32);
    expect((await tile('1/000.p/2')).bytes.length).toBe(64);
    expect((await tile('0/002')).status).toBe(404);
    expect((await tile('entries/000')).status).toBe(400);
  });

  it('gives receipts that hold offline', async () => {
    const { audit_id } = receipts[42]!;
    const proof = parseTlogProof((await http.get(`/v1/logs/acme/receipt/${audit_id}`, key)).text);
    const record = Buffer.from(proof.extra!).toString();
    expect(JSON.parse(record).event.audit_id).toBe(audit_id);
    await verifyTlogProof(proof, sha256(record), [await verifier()]);
    const later = (await http.ingest([event()], key)).json.results[0].receipt;
    const fresh = parseTlogProof((await http.get(`/v1/logs/acme/receipt/${later.audit_id}`, key)).text);
    await verifyTlogProof(fresh, fromHex(later.record_hash)!, [await verifier()]);
    expect((await http.get('/v1/logs/acme/receipt/00000000-0000-7000-8000-000000000000', key)).status).toBe(
      404,
    );
  });

  it('knows nothing of a tenant without a chain', async () => {
    for (const path of ['checkpoint', 'keys', 'proof/inclusion?index=0&size=1', 'tile/0/000.p/1', 'bundle']) {
      expect((await http.get(`/v1/logs/nobody/${path}`)).status).toBe(404);
    }
  });
});

describe('bundles', () => {
  const lines = (text: string) => text.trimEnd().split('\n');
  const head = (text: string) => JSON.parse(lines(text)[0]!);
  const recordsOf = (text: string) =>
    lines(text)
      .filter((line) => line.startsWith('{"record":'))
      .map((line) => line.slice('{"record":'.length, -1));
  const checkEnd = (text: string) => {
    const all = lines(text);
    const before = text.slice(0, text.lastIndexOf('{"end":'));
    expect(JSON.parse(all.at(-1)!).end).toEqual({
      records: recordsOf(text).length,
      lines: all.length - 1,
      sha256: createHash('sha256').update(before).digest('hex'),
    });
  };

  it('hold the whole chain as the checkpoint has it, while events are being appended', async () => {
    let appending = true;
    const appender = (async () => {
      while (appending)
        await http.ingest(
          Array.from({ length: 50 }, () => event()),
          key,
        );
    })();
    const answer = await http.get('/v1/logs/acme/bundle', key);
    appending = false;
    await appender;
    expect(answer.headers.get('content-disposition')).toContain('acme.tally');
    checkEnd(answer.text);
    const note = JSON.parse(lines(answer.text)[1]!).checkpoint;
    const { size } = parseCheckpoint(parseNote(note).text);
    expect(head(answer.text)).toEqual({
      tallystick_bundle: 1,
      tenant_id: 'acme',
      origin: 'log.test/acme/1',
      epoch: 1,
      first: 0,
      last: size - 1,
      complete: true,
    });
    const records = recordsOf(answer.text);
    expect(records).toHaveLength(size);
    expect(
      verifyChain(
        records.map((text) => ({ text })),
        { tenantId: 'acme' },
      ).verified,
    ).toBe(true);
    await openNote(note, [await verifier()]);
  });

  it('of a part carry a proof for each record', async () => {
    const answer = await http.get('/v1/logs/acme/bundle?first=200&last=320', key);
    checkEnd(answer.text);
    expect(head(answer.text)).toMatchObject({ first: 200, last: 320, complete: false });
    const { size, root } = parseCheckpoint(parseNote(JSON.parse(lines(answer.text)[1]!).checkpoint).text);
    const body = lines(answer.text).slice(3, -1);
    expect(body).toHaveLength(242);
    for (let at = 0; at < body.length; at += 2) {
      const { index, hashes } = JSON.parse(body[at + 1]!).proof;
      const record = body[at]!.slice('{"record":'.length, -1);
      expect(index).toBe(200 + at / 2);
      verifyInclusion(index, size, leafHash(sha256(record)), hashesOf({ hashes }), root);
    }
  });

  // The chain stops when the signer finds that the store was changed. At that moment an auditor needs the evidence most.
  it('of a chain that was tampered with stand on what was signed before', async () => {
    await http.ingest(Array.from({ length: 10 }, () => event({ tenant_id: 'forged' })));
    const signed = (await http.get('/v1/logs/forged/checkpoint')).text;
    await http.ingest([event({ tenant_id: 'forged' })]);
    await http.tamper(
      "update audit_records set record_hash = sha256('x') where tenant_id = 'forged' and sequence_number = 4",
      "update audit_records set record = E'{}\\n{\"end\":{}}' where tenant_id = 'forged' and sequence_number = 6",
    );
    const refused = await http.get('/v1/logs/forged/checkpoint?fresh=true');
    expect([refused.status, refused.json.code]).toEqual([503, 'CHECKPOINT_INCONSISTENT']);
    for (let time = 0; time < 2; time++) {
      const { status, text } = await http.get('/v1/logs/forged/bundle?tail=true');
      expect(status).toBe(200);
      checkEnd(text);
      expect(JSON.parse(lines(text)[1]!).checkpoint).toBe(signed);
      const numbers = recordsOf(text).map((record) => JSON.parse(record).sequence_number);
      expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]);
    }
  });
});

it('gives receipts under a new key that a reader with the old key can verify', async () => {
  const old = await verifier();
  const request = { reason: 'yearly', by: 'operator', now: Date.parse('2026-01-02T03:04:05.678Z') };
  await http.service.signer.rotations.rotate(request);
  const { audit_id, record_hash } = (await http.ingest([event()], key)).json.results[0].receipt;
  const { text } = await http.get(`/v1/logs/acme/receipt/${audit_id}`, key);
  expect(await verifyReceipt(text, { keys: [old] })).toMatchObject({
    verdict: 'verified',
    record_hash,
    rotations: [{ rotated_at: '2026-01-02T03:04:05.678Z' }],
  });
  // The lines of the rotations are signatures that a reader of plain tlog-proofs does not know.
  await verifyTlogProof(parseTlogProof(text), fromHex(record_hash)!, [await verifier()]);
});
