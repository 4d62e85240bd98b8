import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Report, verifyBundle } from '@tallystick/verify';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { seal } from '../../spec/vectors/generator/bundle-writer.ts';

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
  const places = findings.map(({ code, sequence_number: place }) =>
    place === null ? code : `${code}@${place}`,
  );
  return { ...rest, findings: [...new Set(places)].toSorted() };
}
const sorted = (expected: Expected) => ({ ...expected, findings: expected.findings.toSorted() });
const keysOf = (keys: readonly string[]) => keys.flatMap((key) => ['--key', key]);

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  // Pieces that end in the middle of lines and characters.
  for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777);
}
const verify = async (bytes: Uint8Array, keys: readonly string[]) =>
  asExpected(await verifyBundle(stream(bytes), { keys }));

describe('the verifier in TypeScript', () => {
  it.each(bundles.map((one) => [one.file, one] as const))('agrees with %s', async (file, bundle) => {
    const bytes = readFileSync(join(vectors, 'bundles', file));
    expect(await verify(bytes, bundle.keys)).toEqual(sorted(bundle.expect));
  });
});

/** A bundle with one change, and with a new digest, as an attacker would write it. */
const mutant = fc
  .record({
    bundle: fc.constantFrom(
      ...bundles.filter((one) => one.expect.records > 0 && one.file.endsWith('.tally')),
    ),
    what: fc.constantFrom('delete', 'repeat', 'swap', 'unit', 'digit', 'transplant'),
    line: fc.nat(),
    other: fc.nat(),
    unit: fc.constantFrom(...'01a"{}[],: \\\u0000\u00e9'),
  })
  .map(({ bundle, what, line, other, unit }) => {
    const lines = readFileSync(join(vectors, 'bundles', bundle.file), 'utf8')
      .split('\n')
      .slice(0, -2);
    const [at, to] = [line % lines.length, other % lines.length];
    const text = lines[at]!;
    if (what === 'delete') lines.splice(at, 1);
    else if (what === 'repeat') lines.splice(to, 0, text);
    else if (what === 'swap') [lines[at], lines[to]] = [lines[to]!, text];
    else if (what === 'unit')
      lines[at] = text.slice(0, other % text.length) + unit + text.slice((other % text.length) + 1);
    else if (what === 'digit')
      lines[at] = text.replace(/\d(?=[,}"])/g, (digit, place) =>
        place % 3 === other % 3 ? String((Number(digit) + 1) % 10) : digit,
      );
    else lines[at] = readFileSync(join(vectors, 'bundles/history.tally'), 'utf8').split('\n')[other % 8]!;
    return { keys: bundle.keys, text: seal(lines) };
  });

describe('the verifier in Python', () => {
  it('comes to the same result as ours for random forgeries', async () => {
    const folder = join(scratch, 'forged');
    cpSync(vectors, folder, { recursive: true });
    const seed = Number(process.env.TALLYSTICK_FUZZ_SEED ?? 1);
    const forged = fc.sample(mutant, { seed, numRuns: Number(process.env.TALLYSTICK_FUZZ_RUNS ?? 150) });
    const results = await Promise.all(
      forged.map(async ({ keys, text }, at) => {
        const file = `forged-${at}.tally`;
        writeFileSync(join(folder, 'bundles', file), text);
        return { file, keys, expect: await verify(new TextEncoder().encode(text), keys) };
      }),
    );
    // The forgeries are of different kinds.
    expect(
      new Set(results.flatMap((one) => one.expect.findings.map((finding) => finding.split('@')[0]))).size,
    ).toBeGreaterThan(5);
    writeFileSync(join(folder, 'bundles/index.json'), JSON.stringify({ bundles: results }));
    const { stdout } = await run('vectors', folder);
    expect(stdout.split('\n').filter((line) => line.startsWith('FAILED'))).toEqual([]);
  }, 120_000);

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
        'bundle',
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
    const prove = (key: string, ...rest: string[]) => run('proof', proof, '--key', key, '--json', ...rest);
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
  });

  it('exits with 3 for wrong usage and with 4 if the file does not exist', async () => {
    expect((await run()).code).toBe(3);
    expect((await run('bundle', join(scratch, 'none.tally'), '--key', 'nonsense')).code).toBe(3);
    expect((await run('bundle', join(scratch, 'none.tally'))).code).toBe(4);
  });
});
