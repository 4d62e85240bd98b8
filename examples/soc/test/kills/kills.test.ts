import { randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Approval, EventView } from '@tallystick/protocol';
import { tempDir, until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import type { StoredInvestigation } from '../../src/orchestrator/investigation-states.ts';
import { DurableDocuments } from '../../src/platform/durable/durable-documents.ts';
import { DurableStore } from '../../src/platform/durable/store.ts';
import { seededRandom } from '../../src/platform/random.ts';
import { openKillsAudit } from './audit-service.ts';
import { differences } from './compare.ts';
import { ObserverLog } from './observer-log.ts';
import { tenants } from './orders.ts';
import { People } from './people.ts';
import { SocProcess } from './soc-process.ts';

const rounds = Number(process.env.KILLS_ROUNDS ?? 2);
const seed = Number(process.env.KILLS_SEED ?? randomInt(2 ** 31));
const alertsOfRound = 12;
/** A process is killed before observers have seen more than this of it, whatever the speed of the machine. */
const longestLifeBytes = 6_000;
/** After that, it lives up to this time, so that kills also hit work that no test observes. */
const longestRestMs = 20;

test(`killed at random moments, the platform records everything that happened, once (KILLS_SEED=${seed})`, {
  timeout: 300_000 + rounds * 60_000,
}, async () => {
  using directory = tempDir();
  const soc = join(directory.path, 'soc');
  mkdirSync(soc);
  const audit = await openKillsAudit(directory.path);
  const { url, apiKey } = audit;
  const persons = ['mia', 'jo'].map((name) => audit.clientOf(name, ['approvals:decide']));
  const people = new People(await Promise.all(persons), tenants);
  const random = seededRandom(seed);
  const log = new ObserverLog(join(soc, 'observed'));
  const started = performance.now();

  let next = new SocProcess();
  for (let round = 0; round <= rounds; round++) {
    const process = next;
    const ends = round === rounds;
    if (!ends) next = new SocProcess();
    const from = round * alertsOfRound;
    process.begin({ directory: soc, url, apiKey, seed, from: 0, to: from + alertsOfRound, ends });
    await process.started;
    if (ends) await process.ended();
    else {
      const seen = log.size + random() * longestLifeBytes;
      // A process that has nothing left to do is killed, too.
      await until(() => log.size >= seen, { intervalMs: 1, timeoutMs: 10_000 }).catch(() => undefined);
      await pause(random() * longestRestMs);
      await process.kill();
    }
  }
  await people.stop();

  const auditor = await audit.clientOf('auditor', ['events:read', 'log:read', 'approvals:decide']);
  const events: EventView[] = [];
  const approvals: Approval[] = [];
  for (const tenant_id of tenants) {
    for await (const event of auditor.events.listAll({ tenant_id, order: 'asc' })) events.push(event);
    for await (const approval of auditor.approvals.listAll({ tenant_id })) approvals.push(approval);
  }
  const store = new DurableStore(soc);
  const stored = new DurableDocuments<StoredInvestigation>(store, 'investigations');
  const investigations = (await Promise.all(tenants.map((id) => stored.list(id)))).flat();
  const refused = store.query('select event, refusal from events');
  store.close();
  const observed = log.read();
  await audit.close();

  expect(refused).toEqual([]);
  expect(investigations).toHaveLength((rounds + 1) * alertsOfRound);
  const happened = {
    observed,
    investigations: investigations.map(({ investigation }) => investigation),
    approvals: approvals.length,
  };
  expect(differences(happened, events)).toEqual([]);
  const interrupted = events.filter(
    ({ outcome }) => (outcome as { error_code?: string } | undefined)?.error_code === 'INTERRUPTED',
  );
  console.log(
    JSON.stringify({
      name: 'kills/one process',
      ...{ killed: rounds, alerts: investigations.length, records: events.length, observed: observed.length },
      ...{ interrupted: interrupted.length, approvals: approvals.length, seed },
      breakers: events.filter(({ event_type }) => (event_type as string).startsWith('circuit_breaker.'))
        .length,
      seconds: Math.round((performance.now() - started) / 100) / 10,
    }),
  );
});
