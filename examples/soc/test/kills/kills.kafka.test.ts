import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { tempDir, until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/platform/random.ts';
import { serviceNames } from '../../src/processes/service-names.ts';
import { ObservedPlatform } from '../processes/observed-platform.ts';
import { differences } from './compare.ts';

const rounds = Number(process.env.KILLS_KAFKA_ROUNDS ?? 2);
const seed = Number(process.env.KILLS_SEED ?? randomInt(2 ** 31));
const alertsOfRound = 4;
/** A process is killed before observers have seen more than this of the round, whatever the speed of the machine. */
const longestWaitBytes = 1_500;
/** After that, it lives up to this time, so that kills also hit work that no test observes. */
const longestRestMs = 50;

test(`separate processes that are killed at random moments record everything, once (KILLS_SEED=${seed})`, {
  timeout: 300_000 + rounds * 60_000,
}, async () => {
  using directory = tempDir();
  const started = performance.now();
  const platform = await ObservedPlatform.start(directory.path, seed);
  const { log, processes, restarts } = platform;
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round++) {
    const seen = log.size + random() * longestWaitBytes;
    await platform.arrive(alertsOfRound);
    // A process that has nothing to do is killed, too.
    await until(() => log.size >= seen, { intervalMs: 1, timeoutMs: 5_000 }).catch(() => undefined);
    await pause(random() * longestRestMs);
    const name = serviceNames[Math.floor(random() * serviceNames.length)]!;
    await processes.supervisor.kill(name);
    // Half of the time, the next alerts meet a service that is away.
    if (random() < 0.5) await processes.supervisor.ready();
  }
  await processes.supervisor.ready();
  await platform.finish();
  const { stopped, happened, events } = await platform.stop();

  // A process that is being started again can't be killed. None ended by itself.
  expect(restarts.length).toBeGreaterThan(rounds / 2);
  expect(restarts.filter((how) => !how.endsWith(' SIGKILL'))).toEqual([]);
  expect(Object.entries(stopped).filter(([, how]) => how !== 0)).toEqual([]);
  expect(happened.investigations).toHaveLength(rounds * alertsOfRound);
  expect(differences(happened, events), platform.written.join('')).toEqual([]);
  const isInterrupted = ({ outcome }: (typeof events)[number]) =>
    (outcome as { error_code?: string } | undefined)?.error_code === 'INTERRUPTED';
  console.log(
    JSON.stringify({
      name: 'kills/separate processes',
      ...{ killed: restarts.length, alerts: happened.investigations.length, records: events.length },
      ...{ observed: happened.observed.length, interrupted: events.filter(isInterrupted).length },
      ...{ approvals: happened.approvals, seed, seconds: Math.round((performance.now() - started) / 1_000) },
    }),
  );
});
