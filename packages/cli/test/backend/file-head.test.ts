import { gzipSync } from 'node:zlib';
import { createVerifier, formatVerifierKey } from '@tallystick/log';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { peekFile } from '../../src/backend/file-head.ts';

const origin = 'audit.example.com/acme/1';
const key = formatVerifierKey(createVerifier(origin, new Uint8Array(32).fill(7)));
const bundle = [
  `{"tallystick_bundle":1,"tenant_id":"acme","origin":"${origin}","epoch":1,"first":0,"last":1,"complete":true}`,
  '{"checkpoint":"x"}',
  `{"key":"${key}"}`,
  '{"record":{"origin":"not a header","key":"é"}}',
  '{"end":{}}',
  '',
].join('\n');

async function peek(bytes: Uint8Array, size: number) {
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  const { bytes: all, ...head } = await peekFile(chunks());
  const parts: Uint8Array[] = [];
  for await (const part of all) parts.push(part);
  return { ...head, whole: Buffer.concat(parts) };
}

test('what stands before the records is read, and the bytes come back whole', async () => {
  const bytes = Buffer.from(bundle);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 600 }), async (size) => {
      const head = await peek(bytes, size);
      expect(head).toMatchObject({ isReceipt: false, header: { origin, tenantId: 'acme' } });
      expect(head.offered.map(formatVerifierKey)).toEqual([key]);
      expect(head.whole.equals(bytes)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('bytes that are not a bundle are returned unchanged too', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const head = await peek(bytes, 7);
      expect(head.header).toBeUndefined();
      expect(head.whole.equals(bytes)).toBe(true);
    }),
  );
});

const packed = gzipSync(bundle);
test.each([
  ['a whole gzip file', packed],
  ['one that is cut in its first bytes', packed.subarray(0, 12)],
  ['one that is damaged', Uint8Array.from(packed).fill(0, 40, 60)],
])('a compressed file comes back compressed: %s', async (_, bytes) => {
  for (const size of [1, 7, 10_000]) {
    const head = await peek(bytes, size);
    expect(head.whole.equals(bytes)).toBe(true);
    if (bytes === packed) expect(head.header).toMatchObject({ origin });
  }
});

test('a header counts only as the first line, and as the verifier reads it', async () => {
  const [header] = bundle.split('\n');
  for (const text of [`\ufeff${bundle}`, `{}\n${bundle}`, bundle.replace('"epoch":1', '"epoch":1,"epoch":1')])
    expect((await peek(Buffer.from(text), 100)).header).toBeUndefined();
  expect((await peek(Buffer.from(`${header}\n{"damaged"`), 100)).header).toMatchObject({ origin });
});

test('a receipt is recognised by its first line, compressed or not', async () => {
  const receipt = 'c2sp.org/tlog-proof@v1\nindex';
  for (const bytes of [Buffer.from(receipt), gzipSync(receipt)])
    expect((await peek(bytes, 3)).isReceipt).toBe(true);
  for (const text of ['c2sp.org/tlog-proof@v1', `\ufeff${receipt}`, receipt.replace('v1', 'v2')])
    expect((await peek(Buffer.from(text), 3)).isReceipt).toBe(false);
});
