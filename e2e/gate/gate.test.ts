import { afterAll, beforeAll, expect, test } from 'vitest';
import { approvalAttacks } from './approval-attacks.ts';
import { argumentAttacks } from './argument-attacks.ts';
import { recordAttacks } from './record-attacks.ts';
import { Stage } from './stage.ts';
import { toolAttacks } from './tool-attacks.ts';

/**
 * Hostile agents, tools, policies and clients try to get an action past the gate: unseen, unapproved, changed, or twice. Each attack
 * names what stops it. `npm run e2e -- gate` prints the list.
 */
const attacks = [...argumentAttacks, ...toolAttacks, ...approvalAttacks, ...recordAttacks];

let stage: Stage;
const caught: string[] = [];
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(async () => {
  await stage?.close();
  if (process.env.GATE_LIST !== undefined)
    console.log(`${caught.length} attacks caught\n${caught.join('\n')}`);
});

test.each(attacks)('$name: $caughtBy', async (attack) => {
  expect(await attack.run(stage)).toBe(attack.shows);
  caught.push(`  ${attack.name}\n      ${attack.caughtBy} (${attack.shows})`);
});

test('at least 25 attacks were tried, and the trail with all of them verifies', async () => {
  expect(attacks.length).toBeGreaterThanOrEqual(25);
  await stage.audit.flush({ deadlineMs: 30_000 });
  expect(await stage.findings()).toEqual([]);
});
