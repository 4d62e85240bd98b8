import { tempDir, until } from '@tallystick/testing';
import type { StoredInvestigation } from '../src/orchestrator/investigation-states.ts';
import { MemoryDocuments } from '../src/platform/documents.ts';
import { platformTenant } from '../src/platform/tenants.ts';
import type { Message, Topic, Topics } from '../src/platform/topics.ts';
import { ServiceTrail, type TrailEvent, untilDecided } from './service-trail.ts';
import { morningParts, platformOver, playMorning } from './whole-platform.ts';

/** The chains of the platform. */
export const tenants = ['acme', 'globex', 'shady', platformTenant];

/** Notes each state that an investigation is stored in. */
class WatchedInvestigations extends MemoryDocuments<StoredInvestigation> {
  readonly states: { readonly tenantId: string; readonly state: string }[] = [];

  override async put(tenantId: string, id: string, stored: StoredInvestigation): Promise<void> {
    this.states.push({ tenantId, state: `${id} ${stored.investigation.state}` });
    await super.put(tenantId, id, stored);
  }
}

/** What was published, by its topic. */
type Published = {
  readonly [K in
    | 'alerts.raw'
    | 'alerts.normalized'
    | 'ctem.normalized'
    | 'atlas.detections'
    | 'actions.pending'
    | 'playbooks.draft'
    | 'investigations']: Message<Topics[K]>[];
};

/** A morning of the whole platform, as observers saw it that know nothing of records, and what the trail says of it. */
export interface WatchedMorning extends AsyncDisposable {
  readonly trail: ServiceTrail;
  readonly platform: ReturnType<typeof platformOver>;
  readonly published: Published;
  readonly investigations: WatchedInvestigations;
  /** Calls of models, with the provider and how each ended. */
  readonly modelCalls: readonly string[];
  readonly events: readonly TrailEvent[];
  /** What the emitters have reported until the records were read. */
  readonly faults: readonly unknown[];
}

/** Plays a morning over an audit service, whose desk the platform uses. */
export async function watchMorning(): Promise<WatchedMorning> {
  const directory = tempDir();
  const investigations = new WatchedInvestigations();
  const modelCalls: string[] = [];
  const parts = morningParts();
  // No person decides about the urgent action, so it is escalated and times out, by the clock of the desk.
  parts.settings.response.approvalWindowMs.high = 1_000;
  parts.settings.governance.accumulation.maxActions = 60;
  const trail = await ServiceTrail.open(directory.path, parts.settings);
  const platform = platformOver(trail.desk, parts, {
    auditOf: (service) => trail.emitterOf(service),
    investigations,
    watchModel: (model) => ({
      ...model,
      async doGenerate(options) {
        try {
          const result = await model.doGenerate(options);
          modelCalls.push(`${model.provider} answered`);
          return result;
        } catch (error) {
          modelCalls.push(`${model.provider} ${(error as Error).message}`);
          throw error;
        }
      },
    }),
  });
  const collect = <K extends Topic>(topic: K) => platform.collect(topic);
  const published: Published = {
    'alerts.raw': await collect('alerts.raw'),
    'alerts.normalized': await collect('alerts.normalized'),
    'ctem.normalized': await collect('ctem.normalized'),
    'atlas.detections': await collect('atlas.detections'),
    'actions.pending': await collect('actions.pending'),
    'playbooks.draft': await collect('playbooks.draft'),
    investigations: await collect('investigations'),
  };
  await playMorning({ ...platform, decideAll: () => decideAll(platform, trail) });
  const events = await trail.events(tenants);
  const faults = [...trail.faults];
  for (const messages of Object.values(published) as Message<unknown>[][]) {
    messages.splice(0, messages.length, ...byTenant(messages, ({ lineage }) => lineage.tenantId));
  }
  return {
    ...{ trail, platform, published, investigations, modelCalls, events, faults },
    [Symbol.asyncDispose]: async () => {
      await trail.close();
      directory[Symbol.dispose]();
    },
  };
}

/** People decide what waits, except what is urgent: that times out. They deny what would stop production. */
async function decideAll({ soc }: WatchedMorning['platform'], trail: ServiceTrail): Promise<void> {
  const waiting = async () => (await trail.approvals(tenants)).filter(({ state }) => state === 'pending');
  while (soc.responseAgent.openPlans > 0) {
    for (const approval of await waiting()) {
      const { action, arguments: given } = approval.document;
      if ((given as { severity: string }).severity === 'high') continue;
      if (action === 'stop_production_line') await trail.decide(approval, 'mia', 'deny');
      else {
        await trail.decide(approval, 'mia', 'grant');
        if (approval.rules.approvals > 1) await trail.decide(approval, 'jo', 'grant');
      }
    }
    await until(async () => soc.responseAgent.openPlans === 0 || (await waiting()).length > 0);
  }
  await untilDecided(trail, tenants);
  await soc.settled();
}

/**
 * In the order in which the events of a morning are: one tenant after the other. What came for an unknown tenant is recorded for the
 * platform.
 */
export function byTenant<T>(all: readonly T[], tenantOf: (one: T) => string): T[] {
  const placeOf = (one: T) =>
    tenants.indexOf(tenants.includes(tenantOf(one)) ? tenantOf(one) : platformTenant);
  return all.toSorted((a, b) => placeOf(a) - placeOf(b));
}
