import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

// `npm run e2e -- faults --rounds 200 --seed 7 --start-round 100`: this campaign has its own options.
if (process.argv[2] === 'faults') await runFaults(process.argv.slice(3));
if (process.argv[2] === 'mutants') {
  await import('./soc/mutants.ts');
  process.exit();
}

interface Campaign {
  readonly about: string;
  /** @defaultValue the folder of its name in `e2e` */
  readonly folder?: string;
  /** The environment variable that sets the number of rounds, and the number here. `npm test` runs fewer. */
  readonly rounds?: { readonly variable: string; readonly full: string };
  /** The same for the number of records. */
  readonly rows?: { readonly variable: string; readonly full: string };
  readonly seed?: string;
}

/**
 * `npm run e2e` runs every campaign at full size. `npm run e2e -- crash --rounds 500 --seed 7` runs one of them with another number of
 * rounds. The same seed makes the same choices again.
 */
const campaigns: { readonly [name: string]: Campaign } = {
  crash: {
    about: 'kill -9 during ingestion',
    rounds: { variable: 'CRASH_ROUNDS', full: '200' },
    seed: 'CRASH_SEED',
  },
  differential: {
    about: 'mutants of bundles and receipts, for both verifiers',
    rounds: { variable: 'DIFFERENTIAL_RUNS', full: '50000' },
    seed: 'DIFFERENTIAL_SEED',
  },
  followers: {
    about: 'kill and freeze followers at every step, restore a backup, an hour of backlog',
    rounds: { variable: 'FOLLOWERS_ROUNDS', full: '200' },
    seed: 'FOLLOWERS_SEED',
  },
  fuzz: {
    about: 'hostile values in every parameter and body of the HTTP API',
    rounds: { variable: 'FUZZ_RUNS', full: '20000' },
    seed: 'FUZZ_SEED',
  },
  gate: { about: 'hostile agents, tools, policies and clients, and what stops each' },
  kills: {
    about: 'kill -9 of the reference platform, and its trail beside what an observer saw',
    folder: 'examples/soc/test/kills/kills.test.ts',
    rounds: { variable: 'KILLS_ROUNDS', full: '100' },
    seed: 'KILLS_SEED',
  },
  pairs: {
    about: 'all pairs of filters on a long chain, and what each page reads',
    folder: 'packages/server/test/trail/bounded-reads.test.ts',
    rows: { variable: 'PAIRS_ROWS', full: '1000000' },
  },
  'kills-kafka': {
    about: 'kill -9 of its separate processes over Kafka, in the same way; `kills --kafka` is the same',
    folder: 'examples/soc/test/kills/kills.kafka.test.ts',
    rounds: { variable: 'KILLS_KAFKA_ROUNDS', full: '100' },
    seed: 'KILLS_SEED',
  },
  tamper: { about: 'every way to tamper with a store' },
  faults: { about: 'kill, freeze and cut replicas, brokers and the database', seed: 'FAULTS_SEED' },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    rows: { type: 'string' },
    seed: { type: 'string' },
    kafka: { type: 'boolean' },
  },
});
const named = positionals.map((name) => (name === 'kills' && values.kafka ? 'kills-kafka' : name));
if (values.kafka && !named.includes('kills-kafka')) usage('--kafka belongs to kills');
const wanted = named.length > 0 ? named : Object.keys(campaigns);
for (const name of wanted) {
  const campaign = Object.hasOwn(campaigns, name) ? campaigns[name]! : usage(`unknown campaign: ${name}`);
  setNumber(name, 'rounds', campaign.rounds?.variable, values.rounds);
  setNumber(name, 'rows', campaign.rows?.variable, values.rows);
  setNumber(name, 'seed', campaign.seed, values.seed);
  for (const size of [campaign.rounds, campaign.rows])
    if (size !== undefined) process.env[size.variable] ??= size.full;
}

// The campaign prints each attack with what stopped it.
process.env.GATE_LIST = '1';

const root = resolve(import.meta.dirname, '..');
const vitest = spawn(
  join(root, 'node_modules/.bin/vitest'),
  [
    'run',
    ...wanted.map((name) => campaigns[name]!.folder ?? `e2e/${name}/`),
    '--testTimeout=0',
    '--disable-console-intercept',
  ],
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

function setNumber(
  campaign: string,
  option: string,
  variable: string | undefined,
  value: string | undefined,
): void {
  if (value === undefined) return;
  if (!/^\d{1,9}$/.test(value)) usage(`--${option} takes a whole number`);
  if (variable === undefined) usage(`${campaign} has no --${option}`);
  process.env[variable] = value;
}

function usage(complaint: string): never {
  const lines = Object.entries(campaigns).map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`);
  console.error(
    `${complaint}\nusage: npm run e2e -- [campaign …] [--rounds N] [--rows N] [--seed S]\n${lines.join('\n')}`,
  );
  process.exit(3);
}
