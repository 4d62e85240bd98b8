import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { BothVerifiers, type Outcome, type Task } from './both-verifiers.ts';
import { checkpoints, corpus, laterEpochs } from './corpus.ts';
import { bake, type Recipe, recipes } from './mutant.ts';
import { smallest } from './smallest.ts';

/**
 * Two verifiers that disagree about one file are worse than one: an operator shows each reader the verifier that is content.
 * Both read the same mutants of bundles and receipts, and must say the same. `npm run e2e -- differential` reads 50,000.
 */
const verifiers = new BothVerifiers();
afterAll(() => verifiers.close());

const isKeepable = (note: string) => note.startsWith('audit.example.com/acme/1\n') && !note.includes('\n0\n');
const taskOf = async (recipe: Recipe): Promise<Task> => {
  const kept = recipe.kept === undefined ? undefined : checkpoints[recipe.kept]!;
  return {
    bytes: await bake(recipe),
    keys: corpus[recipe.base]!.keys.filter((key) => key.includes('/1+') || key.includes('/2+')),
    kept: kept !== undefined && isKeepable(kept) ? kept : undefined,
    given: recipe.given === undefined ? undefined : checkpoints[recipe.given],
  };
};
const sameAnswer = ({ typescript, python }: Awaited<ReturnType<BothVerifiers['run']>>) =>
  isDeepStrictEqual(typescript, python);
const agree = async (task: Task) => sameAnswer(await verifiers.run(task));

test('both verifiers say the same about every file', async () => {
  // The suite always tries the same mutants, so that a change is compared with what passed before it. The campaign tries new ones.
  const isCampaign = process.env.DIFFERENTIAL_RUNS !== undefined;
  const seed = Number(process.env.DIFFERENTIAL_SEED ?? (isCampaign ? Date.now() % 1_000_000_000 : 1));
  const numRuns = Number(process.env.DIFFERENTIAL_RUNS ?? 2_000);
  console.log(`differential: ${numRuns} mutants, seed ${seed} (npm run e2e -- differential --seed ${seed})`);
  const seen = new Map<string, number>();
  const property = fc.asyncProperty(recipes, async (recipe) => {
    const answers = await verifiers.run(await taskOf(recipe));
    const { typescript } = answers;
    const { verdict, findings = [] } = (typescript.report ?? {}) as { verdict?: string; findings?: string[] };
    for (const what of [
      `exit ${typescript.code}`,
      verdict ?? 'no report',
      ...findings.map((one) => one.split('@')[0]!),
    ])
      seen.set(what, (seen.get(what) ?? 0) + 1);
    return sameAnswer(answers);
  });
  const { failed, counterexample } = await fc.check(property, { seed, numRuns });
  if (failed) expect.fail(await reproducer(counterexample![0]));
  console.log(
    [...seen]
      .sort(([, a], [, b]) => b - a)
      .map(([what, count]) => `${count} ${what}`)
      .join(', '),
  );
  // Mutants that are all refused at the first line would prove nothing.
  for (const what of [
    'verified',
    'broken',
    'not_verifiable',
    'RECEIPT_MALFORMED',
    'BUNDLE_TRUNCATED',
    'exit 3',
  ])
    expect([what, seen.get(what) ?? 0]).not.toEqual([what, 0]);
}, 0);

test('both verifiers compare the first record of a new epoch with what was kept of the one before', async () => {
  const codes = new Map<Outcome['code'], number>();
  for (const kept of checkpoints.slice(0, 3)) {
    for (const { name, bytes, keys } of laterEpochs) {
      const { typescript, python } = await verifiers.run({ bytes, keys, kept });
      expect([name, python]).toEqual([name, typescript]);
      codes.set(python.code, (codes.get(python.code) ?? 0) + 1);
    }
  }
  // Recovered, a part of a recovered chain, and another history than the kept one, in a whole bundle and in a part.
  expect([...codes]).toEqual([
    [0, 19],
    [5, 43],
    [6, 10],
  ]);
}, 0);

/** Writes the smallest file that the verifiers disagree about. */
async function reproducer(recipe: Recipe): Promise<string> {
  const task = await taskOf(recipe);
  const bytes = await smallest(task.bytes, async (shorter) => !(await agree({ ...task, bytes: shorter })));
  const file = join(mkdtempSync(join(tmpdir(), 'tally-disagreement-')), 'file');
  writeFileSync(file, bytes);
  writeFileSync(`${file}.json`, JSON.stringify({ recipe, ...task, bytes: undefined }, undefined, 2));
  const outcomes = await verifiers.run({ ...task, bytes });
  return `the verifiers disagree about ${file} (${bytes.length} bytes; keys and checkpoints in ${file}.json):\n${JSON.stringify(outcomes, undefined, 2)}`;
}
