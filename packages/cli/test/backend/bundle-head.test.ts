import { createVerifier, formatVerifierKey } from '@tallystick/log';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { peekBundle } from '../../src/backend/bundle-head.ts';

const origin = 'audit.example.com/acme/1';
const key = formatVerifierKey(createVerifier(origin, new Uint8Array(32).fill(7)));
const bundle = [
  `{"tallystick_bundle":1,"tenant_id":"acme","origin":"${origin}","epoch":1,"first":0,"last":1,"complete":true}`,
  '{"checkpoint":"x"}',
  `{"key":"${key}"}`,
  '{"key":"not a key"}',
  '{"record":{"origin":"not a header","key":"é"}}',
  '{"end":{}}',
  '',
].join('\n');

async function peek(bytes: Uint8Array, size: number) {
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  const { bytes: all, ...head } = await peekBundle(chunks());
  const parts: Uint8Array[] = [];
  for await (const part of all) parts.push(part);
  return { ...head, whole: Buffer.concat(parts) };
}

test('what stands before the records is read, and the bytes come back whole', async () => {
  const bytes = Buffer.from(bundle);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 600 }), async (size) => {
      const head = await peek(bytes, size);
      expect(head).toMatchObject({ origin, tenantId: 'acme' });
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
      expect(head.origin).toBeUndefined();
      expect(head.whole.equals(bytes)).toBe(true);
    }),
  );
});
