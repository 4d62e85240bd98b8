import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { Outcome } from './campaign.ts';

// A fixed seed makes runs repeatable. Other seeds find other bugs.
const seed = process.env.FAULTS_SEED ?? '1';

async function campaign(...parameters: string[]): Promise<{ code: number; outcome: Outcome }> {
  const child = spawn(
    process.execPath,
    [...process.execArgv, join(import.meta.dirname, 'main.ts'), ...parameters],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { code, outcome: JSON.parse(output) };
}

test(`ten rounds of faults lose nothing and add nothing (FAULTS_SEED=${seed})`, {
  timeout: 600_000,
}, async () => {
  const { code, outcome } = await campaign('--rounds', '10', '--seed', seed);
  expect(outcome).toMatchObject({
    rounds: 10,
    lost: 0,
    duplicates: 0,
    gaps: 0,
    genesis_extra: 0,
    unverified: 0,
  });
  expect(outcome.failure).toBeUndefined();
  expect(outcome.acked).toBeGreaterThan(500);
  expect(outcome.stored).toBeGreaterThanOrEqual(outcome.acked);
  expect(code).toBe(0);
});

// Proves that the campaign can fail: writers that commit their offsets first lose the events that they are chaining when
// they are killed.
test(`the campaign notices writers that commit their offsets first (FAULTS_SEED=${seed})`, {
  timeout: 600_000,
}, async () => {
  const kills = 'kill-writer-in-copy,kill-writer-before-commit,kill-writer';
  const { code, outcome } = await campaign(
    ...['--mutant', 'offsets-first', '--rounds', '6', '--only', kills, '--brokers', '1', '--seed', seed],
  );
  expect(outcome.lost, JSON.stringify(outcome)).toBeGreaterThan(0);
  expect(outcome.failure).toMatch(/acknowledged events were not stored/);
  expect(code).toBe(1);
  rmSync(outcome.logs!, { recursive: true });
});
