import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { QueryOptions } from './query.ts';
import type { Result } from './result.ts';
import type { SocOptions } from './soc.ts';

/** `npm run bench` runs these benchmarks, `npm run bench -- append emit` only some, `npm run bench -- query --rows 1000000 --data DIR` one with options. Results go to bench/results.json. */
const benches: {
  readonly [name: string]: () => Promise<{ run(given: QueryOptions & SocOptions): Promise<Result[]> }>;
} = {
  append: () => import('./append.ts'),
  canonical: () => import('./canonical.ts'),
  embedded: () => import('./embedded.ts'),
  emit: () => import('./emit.ts'),
  fastify: () => import('./fastify.ts'),
  gate: () => import('./gate.ts'),
  kafka: () => import('./kafka.ts'),
  'kafka-soak': () => import('./kafka-soak.ts'),
  redaction: () => import('./redaction.ts'),
  validate: () => import('./validate.ts'),
};

/** Benchmarks that run only when they are named, because they take minutes. */
const long: typeof benches = {
  console: () => import('./console.ts'),
  'emit-minute': () => import('./emit-minute.ts'),
  export: () => import('./export.ts'),
  followers: () => import('./followers.ts'),
  'kafka-soak-long': async () => (await import('./kafka-soak.ts')).long,
  'kafka-stations': () => import('./kafka-stations.ts'),
  query: () => import('./query.ts'),
  soc: () => import('./soc.ts'),
};
const all = { ...benches, ...long };

const { positionals: wanted, values } = parseArgs({
  allowPositionals: true,
  options: {
    // Of `query` and `export`: how many records, in how many months, and where the stores are kept between runs.
    ...{ rows: { type: 'string' }, partitions: { type: 'string' }, data: { type: 'string' } },
    // Of `soc`: how many alerts.
    alerts: { type: 'string' },
  },
});
const options = {
  rows: numberOf('rows'),
  partitions: numberOf('partitions'),
  alerts: numberOf('alerts'),
  data: values.data,
};
const unknown = wanted.filter((name) => !Object.hasOwn(all, name));
if (unknown.length > 0) {
  console.error(`unknown benchmark: ${unknown.join(', ')}; there are ${Object.keys(all).join(', ')}`);
  process.exit(3);
}

const cpu = cpus();
console.log(
  `${cpu.length} × ${cpu[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
);
const results: Result[] = [];
for (const name of wanted.length > 0 ? wanted : Object.keys(benches)) {
  for (const result of await (await all[name]!()).run(options)) {
    results.push(result);
    print(result);
  }
}
save(results);
process.exitCode = results.some((result) => result.pass === false) ? 1 : 0;

function numberOf(name: 'rows' | 'partitions' | 'alerts'): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  console.error(`--${name} must be a whole number from 1, not ${text}`);
  process.exit(3);
}

function print({ name, value, unit, baseline, ratio, goal, pass }: Result): void {
  const beside = baseline === null ? '' : `  beside ${baseline} ${unit}, ratio ${ratio}`;
  const verdict = pass === null ? '' : pass ? '  ok' : '  MISSED';
  console.log(
    `${name.padEnd(52)} ${value} ${unit}${beside}${goal === null ? '' : `  (goal: ${goal})`}${verdict}`,
  );
}

/** Writes the results to the file. Results of benchmarks that did not run this time stay in it. */
function save(fresh: readonly Result[]): void {
  const file = new URL('results.json', import.meta.url);
  let kept: Result[] = [];
  try {
    kept = (JSON.parse(readFileSync(file, 'utf8')) as Result[]).filter(
      (old) => !fresh.some((result) => result.name === old.name),
    );
  } catch {
    // The first run: there is nothing to keep.
  }
  writeFileSync(file, `${JSON.stringify([...kept, ...fresh], null, 2)}\n`);
}
