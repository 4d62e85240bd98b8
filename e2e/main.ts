import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

// `npm run e2e -- faults --rounds 200 --seed 7 --start-round 100`: with options of its own.
if (process.argv[2] === 'faults') await runFaults(process.argv.slice(3));

/**
 * `npm run e2e` runs every campaign in the size that `npm test` does; `npm run e2e -- crash --rounds 500 --seed 7` runs one
 * of them for longer, and again with the same choices.
 */
const campaigns: {
  readonly [name: string]: { readonly about: string; readonly rounds?: string; readonly seed?: string };
} = {
  crash: { about: 'kill -9 during ingestion', rounds: 'CRASH_ROUNDS', seed: 'CRASH_SEED' },
  independent: {
    about: 'the verifier in Python against ours',
    rounds: 'TALLYSTICK_FUZZ_RUNS',
    seed: 'TALLYSTICK_FUZZ_SEED',
  },
  tamper: { about: 'every way to tamper with a store' },
  faults: { about: 'kill, freeze and cut replicas, brokers and the database', seed: 'FAULTS_SEED' },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, seed: { type: 'string' } },
});
const wanted = positionals.length > 0 ? positionals : Object.keys(campaigns);
for (const name of wanted) {
  if (!Object.hasOwn(campaigns, name)) usage(`unknown campaign: ${name}`);
  for (const option of ['rounds', 'seed'] as const) {
    const value = values[option];
    if (value === undefined) continue;
    if (!/^\d{1,9}$/.test(value)) usage(`--${option} takes a whole number`);
    const variable = campaigns[name]![option];
    if (variable === undefined) usage(`${name} has no --${option}`);
    process.env[variable] = value;
  }
}

const root = resolve(import.meta.dirname, '..');
const vitest = spawn(
  join(root, 'node_modules/.bin/vitest'),
  ['run', ...wanted.map((name) => `e2e/${name}/`), '--testTimeout=0', '--disable-console-intercept'],
  { cwd: root, stdio: 'inherit' },
);
vitest.once('exit', (code) => {
  process.exitCode = code ?? 1;
});

/** Never returns. */
async function runFaults(args: readonly string[]): Promise<never> {
  const main = join(import.meta.dirname, 'faults/main.ts');
  const campaign = spawn(process.execPath, ['--conditions=tallystick-source', main, ...args], {
    stdio: 'inherit',
  });
  const [code] = await once(campaign, 'exit');
  process.exit(code ?? 1);
}

function usage(complaint: string): never {
  const lines = Object.entries(campaigns).map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`);
  console.error(
    `${complaint}\nusage: npm run e2e -- [campaign …] [--rounds N] [--seed S]\n${lines.join('\n')}`,
  );
  process.exit(3);
}
