import {
  type AuditEmitter,
  type AuditError,
  createAuditEmitter,
  systemClock,
  type Transport,
} from '@tallystick/sdk';
import { SimulatedPlant } from '../../examples/soc/src/actuators/simulated-plant.ts';
import { Feed } from '../../examples/soc/src/corpus/feed.ts';
import { generateAlerts } from '../../examples/soc/src/corpus/generator.ts';
import { ListedIndicators } from '../../examples/soc/src/governance/indicators.ts';
import { offlineCatalog } from '../../examples/soc/src/models/catalogs.ts';
import { createIds } from '../../examples/soc/src/platform/ids.ts';
import { MemoryTopics } from '../../examples/soc/src/platform/memory-topics.ts';
import { type SocEmitter, taxonomy } from '../../examples/soc/src/platform/recorder.ts';
import { defaultSettings, type Settings } from '../../examples/soc/src/platform/settings.ts';
import { TenantDirectory } from '../../examples/soc/src/platform/tenants.ts';
import { Soc, type SocOptions } from '../../examples/soc/src/soc.ts';

/** How many alerts arrive together. */
const burst = 20;

export interface PlatformOptions extends Pick<SocOptions, 'desk'> {
  /** Where the emitters of the services send to. @defaultValue the services record nothing */
  readonly transport?: (() => Transport) | undefined;
  /** Called when events are lost. @defaultValue a warning of the process */
  readonly onAuditError?: ((error: AuditError) => void) | undefined;
  readonly settings: Settings;
}

/** Settings under which budgets and quotas end nothing: the benchmark is about the work of the platform. */
export function unlimitedSettings(): Settings {
  const settings = structuredClone(defaultSettings);
  settings.router.quotasPerHour = { premium: 1e9, standard: 1e9, trial: 1e9 };
  settings.governance.accumulation = { maxActions: 1e6, windowMs: 1_000 };
  return settings;
}

/** The reference platform in this process, with offline models, and with how much time its services spent in calls of `emit`. */
export async function startPlatform({ transport, settings, desk, onAuditError }: PlatformOptions) {
  const tenants = new TenantDirectory([
    { id: 'acme', tier: 'premium', shadow: false },
    { id: 'globex', tier: 'premium', shadow: false },
  ]);
  const topics = new MemoryTopics();
  const ids = createIds(systemClock);
  const emitters: AuditEmitter<typeof taxonomy, undefined>[] = [];
  const spent = { emitMs: 0, events: 0 };
  const plant = new SimulatedPlant();
  const soc = new Soc({
    topics,
    ids,
    clock: systemClock,
    settings,
    tenants,
    auditOf: (service) => {
      if (transport === undefined) return undefined;
      const created = createAuditEmitter({
        ...{ service, taxonomy, transport: transport() },
        onError: onAuditError,
      });
      const emitter = created as unknown as AuditEmitter<typeof taxonomy, undefined>;
      emitters.push(emitter);
      return timed(emitter, spent);
    },
    catalog: offlineCatalog(),
    artifacts: { put: async () => undefined },
    actuators: {
      execute: (tenantId, action) => forget(plant, plant.execute(tenantId, action)),
      undo: (tenantId, action) => forget(plant, plant.undo(tenantId, action)),
    },
    intelligence: new ListedIndicators(),
    desk,
    onError: (error) => {
      throw error;
    },
  });
  const feed = new Feed(topics, ids);
  const alerts = generateAlerts({
    seed: 1,
    tenants: ['acme', 'globex'],
    from: systemClock.now() - 86_400_000,
  });
  await soc.start();
  return {
    spent,
    topics,
    /** Resolves when the alerts are handled: closed, or waiting for people. */
    async handle(count: number): Promise<void> {
      for (let number = 0; number < count; number += burst) {
        const together = Array.from({ length: Math.min(burst, count - number) }, () => alerts.next().value);
        for (const alert of together) await feed.alert(alert);
        await soc.settled();
      }
    },
    /** Plans that wait for people. */
    get openPlans(): number {
      return soc.responseAgent.openPlans;
    },
    flush: async () => void (await Promise.all(emitters.map((emitter) => emitter.flush()))),
    /** @returns how many events were lost */
    async stop(): Promise<number> {
      await soc.stop();
      const reports = await Promise.all(emitters.map((emitter) => emitter.close()));
      return reports.reduce(
        (sum, { rejected, dropped, unconfirmed }) => sum + rejected + dropped + unconfirmed,
        0,
      );
    },
  };
}

/** The simulated plant remembers each change, for tests. Here it would only fill memory. */
async function forget<T>(plant: SimulatedPlant, receipt: Promise<T>): Promise<T> {
  plant.changes.length = 0;
  return receipt;
}

/** Time within calls of `emit`, and how many there were. */
export interface Spent {
  emitMs: number;
  events: number;
}

/** The same emitter. It adds what each call takes to `spent`. */
export function timed(emitter: SocEmitter, spent: Spent): SocEmitter {
  const emit = ((...event: Parameters<typeof emitter.emit>) => {
    const start = performance.now();
    const result = emitter.emit(...event);
    spent.emitMs += performance.now() - start;
    spent.events += 1;
    return result;
  }) as typeof emitter.emit;
  // A gate uses more of an emitter than the services do.
  return new Proxy(emitter, {
    get: (target, name) => {
      if (name === 'emit') return emit;
      const member = Reflect.get(target, name, target) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
