import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawFault, roundRandom } from '../faults/draw.ts';
import { faults } from './faults.ts';
import { Stage } from './stage.ts';

const rounds = Number(process.env.FOLLOWERS_ROUNDS ?? 10);
const seed = Number(
  process.env.FOLLOWERS_SEED ?? (process.env.FOLLOWERS_ROUNDS === undefined ? 1 : randomInt(2 ** 31)),
);
const timeout = 120_000 + rounds * 30_000;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
}, 120_000);
afterAll(() => stage?.close(), 120_000);

/**
 * The promise: the rows of a follower are what the chains say, whichever replica dies or freezes and when, and each finding is on record
 * once. The follower is `open-intents`: an intent that is skipped, or applied twice, has no row.
 */
test(`${rounds} rounds of faults skip nothing and repeat nothing (FOLLOWERS_SEED=${seed})`, {
  timeout,
}, async () => {
  const began = performance.now();
  const byFault: Record<string, number> = {};
  const names = Object.keys(faults);
  for (let round = 0; round < rounds; round++) {
    const name = drawFault(names, seed, round);
    const started = performance.now();
    const random = roundRandom(seed, round);
    try {
      await stage.traffic(random);
      await faults[name]!(stage, random);
      await stage.settle();
    } catch (error) {
      throw new Error(`round ${round}, ${name}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
    byFault[name] = (byFault[name] ?? 0) + 1;
    if (process.env.FOLLOWERS_ROUNDS !== undefined)
      console.log(
        `round ${round}  ${name.padEnd(22)}${((performance.now() - started) / 1_000).toFixed(1)} s`,
      );
  }
  const outcome = {
    rounds: Object.values(byFault).reduce((sum, count) => sum + count, 0),
    by_fault: byFault,
    ...stage.counts,
    seed,
    seconds: Math.round((performance.now() - began) / 1_000),
  };
  if (process.env.FOLLOWERS_ROUNDS !== undefined) console.log(JSON.stringify(outcome));
  expect(outcome.rounds).toBe(rounds);
  expect(outcome.findings).toBeGreaterThan(0);
});

// Proves that the campaign can fail.
test('the campaign notices a cursor that skips records', async () => {
  await stage.settle();
  await Promise.all(stage.replicas.splice(0).map((replica) => replica.kill()));
  await stage.traffic(roundRandom(seed, -1));
  await stage.asOwner(
    `update audit_follower_cursors c set epoch = h.epoch, sequence_number = h.last_sequence, record_hash = h.last_hash
       from audit_chain_state h where h.tenant_id = c.tenant_id`,
  );
  await stage.addReplica();
  await expect(stage.settle()).rejects.toThrow(/rows that are missing/);
});
