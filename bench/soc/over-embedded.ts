import { setTimeout as pause } from 'node:timers/promises';
import { tenantPage } from '@tallystick/server';
import { embedded, embeddedDesk, transportOf } from '@tallystick/server/embedded';
import { tempDir } from '@tallystick/testing';
import { minimumApprovalRules } from '../../examples/soc/src/response-agent/response-policy.ts';
import { median, type Result } from '../result.ts';
import {
  emitResult,
  lossResult,
  measure,
  memoryAfterCollection,
  none,
  type Round,
  round2,
} from './measure.ts';
import { startPlatform, unlimitedSettings } from './platform.ts';

/** How often the memory is looked at. */
const looks = 4;

/** End to end: the trail and the desk are in an embedded store of the same process, which also chains the records. */
export async function overEmbedded(): Promise<Result[]> {
  using directory = tempDir();
  const store = await embedded({ directory: directory.path, logName: 'bench.local' });
  const settings = unlimitedSettings();
  const desk = embeddedDesk(store.service, { subject: 'response-agent' });
  await desk.setRules('*', '*', minimumApprovalRules(settings));
  const platform = await startPlatform({ transport: () => transportOf(store.service), settings, desk });
  await measure(platform, 40);
  const rounds: Round[] = [];
  for (let round = 0; round < 3; round++) rounds.push(await measure(platform, 60));
  // A gate waits for people as long as the process lives.
  while (platform.openPlans > 0) {
    for (const tenant of ['acme', 'globex']) {
      for (const { id, state } of await desk.list(tenant)) {
        if (state === 'pending') await desk.decide(tenant, id, { verdict: 'deny', subject: 'mia' });
      }
    }
    await pause(50);
  }
  const lost = await platform.stop();
  const { database } = store.service;
  const { tenants } = await tenantPage(database, { among: undefined, after: '', limit: 100 });
  const records = tenants.reduce((sum, { size }) => sum + size, 0);
  await store.close();
  const handled = 40 + 3 * 60;
  return [
    {
      ...{ ...none, name: 'soc, embedded: alerts per second end to end', unit: 'alerts/s' },
      value: round2(median(rounds.map(({ alertsPerSecond }) => alertsPerSecond))),
    },
    {
      ...{ ...none, name: 'soc, embedded: records per alert, with those of gates and desk', unit: 'records' },
      value: round2(records / handled),
    },
    emitResult('soc, embedded: working time within emit', median(rounds.map(({ inEmit }) => inEmit))),
    lossResult('soc, embedded: events lost', lost),
  ];
}

/**
 * Many alerts on an embedded store. Once the services keep as many documents as they may, the heap must not grow; with 20,000 alerts they do.
 * The resident memory also has the pages of the database, which runs in this process.
 */
export async function memoryOverEmbedded(alerts: number): Promise<Result[]> {
  const between = Math.ceil(alerts / looks);
  const total = looks * between;
  using directory = tempDir();
  const store = await embedded({ directory: directory.path, logName: 'bench.local' });
  const settings = unlimitedSettings();
  // Nobody answers here, and open approvals would be kept for good reason.
  settings.response.automaticUpToTier = 3;
  const desk = embeddedDesk(store.service, { subject: 'response-agent' });
  await desk.setRules('*', '*', minimumApprovalRules(settings));
  const platform = await startPlatform({ transport: () => transportOf(store.service), settings, desk });
  const heaps: number[] = [];
  const resident: number[] = [];
  const start = performance.now();
  for (let look = 0; look < looks; look++) {
    await platform.handle(between);
    await platform.flush();
    const memory = memoryAfterCollection();
    heaps.push(memory.heap);
    resident.push(memory.resident);
  }
  const seconds = (performance.now() - start) / 1_000;
  const lost = await platform.stop();
  await store.close();
  const compared = (what: string, values: readonly number[], goal: number): Result => {
    const [value, baseline] = [values.at(-1)!, values[1]!];
    const ratio = round2(value / baseline);
    return {
      name: `soc, embedded: ${what} after ${count(total)} alerts, beside ${count(2 * between)} (each ${count(between)}: ${values.join(', ')})`,
      ...{ value, unit: 'MiB', baseline, ratio, goal: `<= ${goal}`, pass: ratio <= goal },
    };
  };
  return [
    {
      ...{ ...none, name: `soc, embedded: alerts per second over ${count(total)} alerts`, unit: 'alerts/s' },
      value: round2(total / seconds),
    },
    compared('heap', heaps, 1.1),
    compared('resident memory', resident, 1.25),
    lossResult(`soc, embedded: events lost of ${count(total)} alerts in bursts`, lost),
  ];
}

const count = (alerts: number): string => alerts.toLocaleString('en');
