/** The reference platform in one process, for rounds that kill it: it works until it is killed, or until its orders say that it shall end. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '@tallystick/client';
import { createAuditEmitter } from '@tallystick/sdk';
import { httpTransport } from '@tallystick/sdk/http';
import { Feed } from '../../src/corpus/feed.ts';
import { generateAlerts } from '../../src/corpus/generator.ts';
import { DurablePlatform } from '../../src/durable-platform.ts';
import { ListedIndicators } from '../../src/governance/indicators.ts';
import { offlineCatalog } from '../../src/models/catalogs.ts';
import { ArtifactDirectory } from '../../src/platform/artifacts.ts';
import { seededRandom } from '../../src/platform/random.ts';
import { type SocEmitter, taxonomy } from '../../src/platform/recorder.ts';
import { defaultSettings } from '../../src/platform/settings.ts';
import { TenantDirectory } from '../../src/platform/tenants.ts';
import { failing, observedActuators, observedModel } from './observed.ts';
import { ObserverLog } from './observer-log.ts';
import { type Orders, tenants } from './orders.ts';

process.once('message', (orders) => void work(orders as Orders));

async function work({ directory, url, apiKey, seed, from, to, ends }: Orders): Promise<void> {
  const log = new ObserverLog(join(directory, 'observed'));
  const settings = structuredClone(defaultSettings);
  settings.router.quotasPerHour = { premium: 1e9, standard: 1e9, trial: 1e9 };
  settings.governance.accumulation = { maxActions: 1e6, windowMs: 1_000 };
  settings.response.acknowledgeWithinMs = 60_000;
  // Breakers open and close many times, and each tenant reaches its first spending limit.
  settings.router.breaker = { failures: 2, openMs: 20, probes: 1 };
  settings.router.spendPerMonthUsd = { soft: 0.01, hard: 1e9 };
  const emitters = new Map<string, ReturnType<typeof open>>();
  const open = (service: string) =>
    createAuditEmitter({
      ...{ service, taxonomy, transport: httpTransport({ url, apiKey }) },
      ...{ flushIntervalMs: 20, logEvents: false, flushOnExit: false },
    });
  const emitterOf = (service: string): SocEmitter => {
    const emitter = emitters.get(service) ?? open(service);
    emitters.set(service, emitter);
    return emitter as unknown as SocEmitter;
  };
  const platform = new DurablePlatform({
    directory,
    emitterOf,
    settings,
    tenants: new TenantDirectory(tenants.map((id) => ({ id, tier: 'premium', shadow: false }))),
    catalog: offlineCatalog((model) => observedModel(model, log, failing(seededRandom(seed + from)))),
    artifacts: new ArtifactDirectory(join(directory, 'artifacts')),
    actuators: observedActuators(log),
    intelligence: new ListedIndicators(),
    desk: createClient({ url, apiKey }).approvals,
    onError: (error) => {
      // Providers fail on purpose.
      if (!String(error).includes('no provider answered')) console.error(error);
    },
  });
  const { soc } = platform;
  await soc.start();
  process.send!('started');
  const feed = new Feed(platform.topics, platform.ids);
  const fed = new Set(log.read().flatMap((one) => (one.what === 'fed' ? [one.name] : [])));
  const alerts = generateAlerts({ seed, tenants, from: Date.parse('2026-11-20T10:00:00Z') });
  for (let number = 0; number < to; number++) {
    const alert = alerts.next().value;
    if (number < from || fed.has(alert.name)) continue;
    await feed.alert(alert);
    log.write({ what: 'fed', name: alert.name });
    await pause(1);
  }
  if (!ends) return;
  while (soc.responseAgent.openPlans > 0 || !platform.topics.isSettled) {
    await soc.settled();
    await pause(20);
  }
  await soc.batchScheduler.flush();
  await soc.settled();
  await platform.close();
  for (const emitter of emitters.values()) await emitter.close();
  process.send!('ended');
  process.disconnect();
}
