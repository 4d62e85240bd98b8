import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { csvCell } from '@tallystick/event';
import { parseVerifierKey, rotationFromJson } from '@tallystick/log';
import { tempDir } from '@tallystick/testing';
import { EvidenceError, readManifest, verifyEvidence } from '@tallystick/verify';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { trusted } from '../../../../spec/vectors/generator/fixture.ts';
import type { SelectionCase } from '../../../../spec/vectors/generator/selection-case.ts';
import { entriesOf, filesOf, selected } from '../../../../spec/vectors/generator/selection-parts.ts';
import { zip } from '../../../../spec/vectors/generator/zip-writer.ts';
import { EvidenceArchive } from '../../src/evidence/evidence-archive.ts';

/** Two verifiers judge an export with evidence: this one, and one in Python that was written from the specification alone. */

type Vector = Pick<SelectionCase, 'file' | 'name' | 'keys' | 'given' | 'expect'>;
const spec = join(import.meta.dirname, '../../../../spec/vectors');
const vectors = JSON.parse(readFileSync(join(spec, 'selections/index.json'), 'utf8')) as {
  cells: { value: unknown; cell: string }[];
  selections: Vector[];
};
const dir = tempDir();
afterAll(() => dir.remove());

async function judge(path: string, { keys, given = [] }: Pick<Vector, 'keys' | 'given'>) {
  try {
    using archive = await EvidenceArchive.open(path);
    const manifest = readManifest(await archive.text('manifest', 1 << 20));
    const source = {
      manifest,
      checkpoint: await archive.text('checkpoint', 1 << 20),
      multiproof: archive.bytes('multiproof.txt'),
      records: archive.bytes('records.jsonl'),
      csv: archive.bytes('events.csv'),
    };
    const report = await verifyEvidence(source, {
      keys: keys.map(parseVerifierKey),
      rotations: manifest.rotations.map(rotationFromJson),
      checkpoints: given,
    });
    const { trust: _, findings, ...rest } = report;
    const places = findings.map(({ code, sequence_number: at }) => (at === null ? code : `${code}@${at}`));
    return { ...rest, findings: [...new Set(places)].toSorted() };
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return { refused: error.code };
  }
}

const sorted = (expected: Vector['expect']) =>
  'findings' in expected ? { ...expected, findings: expected.findings.toSorted() } : expected;

describe('the verifier in TypeScript', () => {
  test.each(vectors.selections.map((one) => [one.file, one] as const))(
    'agrees with %s',
    async (file, one) => {
      expect(await judge(join(spec, 'selections', file), one)).toEqual(sorted(one.expect));
    },
  );

  test('writes each cell of the table as the vectors say', () => {
    for (const { value, cell } of vectors.cells) expect(csvCell(value)).toBe(cell);
  });
});

const changes = ['flip', 'drop', 'insert', 'cut', 'line dropped', 'line twice', 'lines swapped'] as const;

/** A file with one change. */
function changed(data: Uint8Array, how: (typeof changes)[number], seed: number, bits: number): Uint8Array {
  const at = data.length === 0 ? 0 : seed % data.length;
  const [before, after] = [data.slice(0, at), data.slice(at + 1)];
  const lines = Buffer.from(data)
    .toString('latin1')
    .split(/(?<=\n)/);
  const line = seed % lines.length;
  const joined = (all: readonly string[]) => new Uint8Array(Buffer.from(all.join(''), 'latin1'));
  switch (how) {
    case 'flip':
      return data.map((byte, index) => (index === at ? byte ^ bits : byte));
    case 'drop':
      return new Uint8Array([...before, ...after]);
    case 'insert':
      return new Uint8Array([...before, bits, ...data.slice(at)]);
    case 'cut':
      return before;
    case 'line dropped':
      return joined(lines.toSpliced(line, 1));
    case 'line twice':
      return joined(lines.toSpliced(line, 0, lines[line]!));
    case 'lines swapped':
      return joined([...lines.slice(0, line), ...lines.slice(line).toReversed()]);
  }
}

test('the verifier in Python says the same of changed archives', async () => {
  const entries = entriesOf(filesOf(selected));
  const whole = zip(entries);
  const seeds = { seed: fc.nat(), bits: fc.integer({ min: 1, max: 255 }), how: fc.constantFrom(...changes) };
  const inFile = fc.record({ ...seeds, file: fc.constantFrom(...entries.keys()) });
  const folder = join(dir.path, 'vectors');
  mkdirSync(join(folder, 'selections'), { recursive: true });
  const selections: object[] = [];
  const add = async (bytes: Uint8Array, name: string) => {
    const file = `${selections.length}.zip`;
    writeFileSync(join(folder, 'selections', file), bytes);
    const expected = await judge(join(folder, 'selections', file), { keys: [trusted] });
    selections.push({ file, name, keys: [trusted], expect: expected });
  };
  for (const one of fc.sample(inFile, 150)) {
    const { file, how, seed, bits } = one;
    const data = changed(entries[file]!.data, how, seed, bits);
    await add(zip(entries.with(file, { ...entries[file]!, data })), JSON.stringify(one));
  }
  for (const one of fc.sample(fc.record(seeds), 50)) {
    const bytes = changed(whole, one.how, one.seed, one.bits);
    await add(bytes, JSON.stringify(one));
  }
  writeFileSync(join(folder, 'selections/index.json'), JSON.stringify({ cells: vectors.cells, selections }));
  const script = join(import.meta.dirname, '../../../../e2e/independent/verify.py');
  const args = ['-B', script, 'vectors', folder, '--only', 'selections/index.json'];
  const run = promisify(execFile)(process.env.PYTHON ?? 'python3', args);
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  expect(stdout.split('\n').filter((line) => line.startsWith('FAILED'))).toEqual([]);
  expect(stdout).toMatch(/^ *228 checks {2}selections\/index\.json$/m);
}, 120_000);
