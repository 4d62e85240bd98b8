import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { faults } from './faults.ts';
import type { Settings } from './settings.ts';

const usage = `usage: npm run e2e -- faults [--rounds N] [--seed S] [--start-round K] [--only fault,…] [--at-once 1|2]
       [--brokers 1|3] [--writers 2-4] [--rate events/s] [--mutant offsets-first]`;

/** @throws {Error} with the usage in its message */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      'start-round': { type: 'string', default: '0' },
      only: { type: 'string' },
      'at-once': { type: 'string', default: '1' },
      brokers: { type: 'string', default: '3' },
      writers: { type: 'string', default: '3' },
      rate: { type: 'string', default: '120' },
      mutant: { type: 'string' },
    },
  });
  const number = (name: 'rounds' | 'seed' | 'start-round' | 'at-once' | 'brokers' | 'writers' | 'rate') => {
    const value = values[name];
    if (!/^\d{1,10}$/.test(value)) throw new Error(`--${name} takes a whole number\n${usage}`);
    return Number(value);
  };
  if (values.mutant !== undefined && values.mutant !== 'offsets-first') {
    throw new Error(`the only mutant is offsets-first\n${usage}`);
  }
  const only = values.only?.split(',');
  const unknown = only?.find((name) => !Object.hasOwn(faults, name));
  if (unknown !== undefined) {
    throw new Error(`unknown fault: ${unknown}; the faults are ${Object.keys(faults).join(', ')}`);
  }
  const writers = number('writers');
  if (writers < 2 || writers > 4) throw new Error(`--writers takes 2 to 4\n${usage}`);
  const atOnce = number('at-once');
  if (atOnce !== 1 && atOnce !== 2) throw new Error(`--at-once takes 1 or 2\n${usage}`);
  return {
    atOnce,
    rounds: number('rounds'),
    seed: number('seed'),
    startRound: number('start-round'),
    only,
    brokers: number('brokers'),
    writers,
    rate: number('rate'),
    mutant: values.mutant !== undefined,
    // Lost events are found by waiting for them, and the mutant must lose some.
    recoveryMs: values.mutant === undefined ? 120_000 : 30_000,
    sessionTimeoutMs: 3_000,
    requireAll: env.REQUIRE_ALL === '1',
  };
}
