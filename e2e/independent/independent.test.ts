import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Report, verifyBundle } from '@tallystick/verify';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { head3, head5, plain, records, signedAll } from '../../spec/vectors/generator/bundle-parts.ts';
import { linesOf, type Parts, seal } from '../../spec/vectors/generator/bundle-writer.ts';
import { chain, event, origin, trusted } from '../../spec/vectors/generator/fixture.ts';
import { leavesOf } from '../../spec/vectors/generator/naive-tree.ts';

/** A second verifier, written in Python from the specification alone, must come to the same results. */

const script = join(import.meta.dirname, 'verify.py');
const vectors = join(import.meta.dirname, '../../spec/vectors');
const python = process.env.PYTHON ?? 'python3';
const scratch = mkdtempSync(join(tmpdir(), 'tally-independent-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    // -B: no __pycache__ in the checkout.
    execFile(python, ['-B', script, ...args], (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

interface Expected {
  readonly verdict: string;
  readonly records: number;
  readonly findings: readonly string[];
}
interface Bundle {
  readonly file: string;
  readonly keys: readonly string[];
  readonly expect: Expected;
}
const { bundles } = JSON.parse(readFileSync(join(vectors, 'bundles/index.json'), 'utf8')) as {
  bundles: Bundle[];
};
const exitCodes: { readonly [verdict: string]: number } = {
  verified: 0,
  recovered: 0,
  verified_partial: 5,
  broken: 1,
  not_verifiable: 2,
};

/** A report in the form of the vectors: without the source of trust, with each finding once. */
function asExpected({ trust: _, findings, ...rest }: Report): Expected {
  const places = findings.map(({ code, sequence_number: place, epoch }) => {
    if (epoch !== undefined) return `${code}@${epoch}/${place ?? ''}`;
    return place === null ? code : `${code}@${place}`;
  });
  return { ...rest, findings: [...new Set(places)].toSorted() };
}
const sorted = (expected: Expected) => ({ ...expected, findings: expected.findings.toSorted() });
const keysOf = (keys: readonly string[]) => keys.flatMap((key) => ['--key', key]);

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  // Pieces that end in the middle of lines and characters.
  for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777);
}
const verify = async (bytes: Uint8Array, keys: readonly string[]) =>
  asExpected(await verifyBundle(stream(bytes), { keys, mustReach: false }));

describe('the verifier in TypeScript', () => {
  it.each(bundles.map((one) => [one.file, one] as const))('agrees with %s', async (file, bundle) => {
    const bytes = readFileSync(join(vectors, 'bundles', file));
    expect(await verify(bytes, bundle.keys)).toEqual(sorted(bundle.expect));
  });
});

describe('the verifier in Python', () => {
  it('agrees with every vector', async () => {
    const { code, stdout } = await run('vectors', vectors);
    expect(stdout).not.toContain('FAILED');
    expect(code).toBe(0);
    const checks = Number(/^(\d+) checks, 0 failed$/m.exec(stdout)?.[1]);
    expect(checks).toBeGreaterThan(500);
  });

  it('fails if a vector is wrong', async () => {
    const folder = join(scratch, 'vectors');
    cpSync(vectors, folder, { recursive: true });
    const text = readFileSync(join(folder, 'canonical.json'), 'utf8');
    writeFileSync(join(folder, 'canonical.json'), text.replace('"text":"5e-324"', '"text":"5e-325"'));
    const { code, stdout } = await run('vectors', folder);
    expect(code).toBe(1);
    expect(stdout.match(/^FAILED/gm)).toHaveLength(1);
  });

  it.each(['verified', 'recovered', 'verified_partial', 'broken', 'not_verifiable'])(
    'says %s, in JSON and by exit code',
    async (verdict) => {
      const bundle = bundles.find((one) => one.expect.verdict === verdict)!;
      const { code, stdout } = await run(
        'file',
        join(vectors, 'bundles', bundle.file),
        ...keysOf(bundle.keys),
        '--json',
      );
      expect(asExpected(JSON.parse(stdout))).toEqual(sorted(bundle.expect));
      expect(code).toBe(exitCodes[verdict]);
    },
  );

  it('proves a record offline by a tlog-proof', async () => {
    const { valid, refused } = JSON.parse(readFileSync(join(vectors, 'tlog-proof.json'), 'utf8'));
    const [proof, record] = [join(scratch, 'receipt.txt'), join(scratch, 'record.json')];
    const prove = (key: string, ...rest: string[]) => run('file', proof, '--key', key, '--json', ...rest);
    writeFileSync(record, valid[0].record);
    writeFileSync(proof, valid[0].proof);
    expect((await prove(valid[0].keys[0], '--record', record)).code).toBe(0);
    writeFileSync(record, valid[0].record.replace('u-5', 'u-6'));
    expect((await prove(valid[0].keys[0], '--record', record)).code).toBe(1);
    writeFileSync(proof, valid[1].proof);
    const { code, stdout } = await prove(valid[1].keys[0]);
    expect([code, JSON.parse(stdout).verdict]).toEqual([0, 'verified']);
    writeFileSync(proof, refused.find((one: { code: string }) => one.code === 'PROOF_MALFORMED').proof);
    expect((await prove(valid[1].keys[0])).code).toBe(2);
    // A receipt has at most 4 MiB.
    writeFileSync(proof, `${valid[1].proof}\n${'x'.repeat(4 << 20)}`);
    expect((await prove(valid[1].keys[0])).stdout).toContain('RECEIPT_MALFORMED');
  });

  describe('with checkpoints that were kept', () => {
    const keep = join(scratch, 'kept');
    const keptFile = join(keep, `${encodeURIComponent(origin)}.note`);
    const check = async (parts: Parts, ...rest: string[]) => {
      const file = join(scratch, 'kept.tally');
      writeFileSync(file, seal(linesOf(parts)));
      return await run('file', file, '--key', trusted, '--keep', keep, '--json', ...rest);
    };
    beforeEach(() => rmSync(keep, { recursive: true, force: true }));

    it('keeps the checkpoint of a good verdict, and a newer one that extends it', async () => {
      const old = { records: records.slice(0, 3), checkpoints: [head3] };
      expect((await check(old)).code).toBe(0);
      expect(readFileSync(keptFile, 'utf8')).toBe(head3);
      expect((await check(plain)).code).toBe(0);
      expect(readFileSync(keptFile, 'utf8')).toBe(head5);
      // An older export is genuine, and does not take the place of what is kept.
      const again = await check(old);
      expect([again.code, JSON.parse(again.stdout).not_compared]).toEqual([0, [5]]);
      expect(readFileSync(keptFile, 'utf8')).toBe(head5);
    });

    it('finds a fork that is signed with the right key, and saves both notes', async () => {
      await check(plain);
      const fork = await signedAll(chain(7, { 2: { event: event(2, { actor_id: 'mallory' }) } }));
      expect((await check(fork)).code).toBe(1);
      const evidence = readdirSync(join(keep, 'evidence'));
      const saved = evidence.map((name) => readFileSync(join(keep, 'evidence', name), 'utf8'));
      expect(saved.sort()).toEqual([head5, fork.checkpoints[0]!].sort());
      expect(readFileSync(keptFile, 'utf8')).toBe(head5);
    });

    it('does not replace it by a part of a fork, and says that it was not compared', async () => {
      await check(plain);
      const longer = chain(7, { 2: { event: event(2, { actor_id: 'mallory' }) } });
      const fork = await signedAll(longer);
      const part = { ...fork, records: [longer[2]!], complete: false, leaves: leavesOf(longer) };
      const { code, stdout } = await check(part);
      expect([code, JSON.parse(stdout).not_compared]).toEqual([5, [5]]);
      expect(readFileSync(keptFile, 'utf8')).toBe(head5);
      // The user named a checkpoint, and gets no verdict without the comparison.
      writeFileSync(join(scratch, 'given.note'), head5);
      const named = await check(part, '--checkpoint', join(scratch, 'given.note'));
      expect([named.code, named.stdout]).toEqual([2, '']);
    });

    it('refuses a kept checkpoint that is damaged', async () => {
      await check(plain);
      writeFileSync(keptFile, 'damaged');
      expect((await check(plain)).code).toBe(3);
    });
  });

  it('exits with 3 for wrong usage and with 4 if the file does not exist', async () => {
    expect((await run()).code).toBe(3);
    for (const key of ['nonsense', 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'])
      expect((await run('file', join(scratch, 'none.tally'), '--key', key)).code).toBe(3);
    expect((await run('file', join(scratch, 'none.tally'))).code).toBe(4);
    const history = join(vectors, 'bundles/history.tally');
    expect((await run('file', history, '--checkpoint', history)).code).toBe(3);
    expect((await run('file', history, '--checkpoint', join(scratch, 'none.note'))).code).toBe(4);
  });
});
