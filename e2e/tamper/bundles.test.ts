import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { type Report, verifyBundle } from '@tallystick/verify';
import { afterAll, describe, expect, test } from 'vitest';
import { onEachTrail, places } from './crimes.ts';
import { globex, large, largeSize } from './trail.ts';

/** The trail as the service exports it, for a verifier that has neither the database nor our code. */

const script = join(import.meta.dirname, '../independent/verify.py');
const python = process.env.PYTHON ?? 'python3';
const dir = tempDir();
afterAll(() => dir.remove());

const ours = (bundle: Buffer, key: string) =>
  verifyBundle(
    (async function* () {
      yield bundle;
    })(),
    { keys: [key] },
  );

function independent(bundle: Buffer, key: string): Promise<{ code: number; report: Report }> {
  const file = join(dir.path, 'trail.tally');
  writeFileSync(file, bundle);
  return new Promise((resolve, reject) => {
    // -B: no __pycache__ in the checkout.
    execFile(python, ['-B', script, 'file', file, '--key', key, '--json'], (error, stdout) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), report: JSON.parse(stdout) as Report });
    });
  });
}

onEachTrail(
  (trail) => {
    describe.each([
      [globex, 20],
      [large, largeSize],
    ])('the bundle of %s', (tenant, records) => {
      test('is verified by both verifiers', async () => {
        const { [tenant]: bundle } = trail().bundles;
        const { [tenant]: key } = trail().keys;
        const report = await ours(bundle!, key!);
        expect(report).toMatchObject({ verdict: 'verified', records, covered_to: records - 1 });
        const other = await independent(bundle!, key!);
        expect(other.code).toBe(0);
        expect({ ...other.report, trust: report.trust }).toEqual(report);
      });
    });

    test('with the key of another tenant, both report an untrusted checkpoint', async () => {
      const bundle = trail().bundles[globex]!;
      const key = trail().keys[large]!;
      expect(places(await ours(bundle, key))).toEqual(['CHECKPOINT_UNTRUSTED@19']);
      const other = await independent(bundle, key);
      expect([other.code, places(other.report)]).toEqual([2, ['CHECKPOINT_UNTRUSTED@19']]);
    });
  },
  { more: [large] },
);
