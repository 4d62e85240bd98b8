import type { LanguageModelV4 } from '@ai-sdk/provider';
import type { Clock } from '@tallystick/sdk';
import { createMemoryDesk, type MemoryDesk } from '@tallystick/sdk/gate';
import { until } from '@tallystick/testing';
import { SimulatedPlant } from '../src/actuators/simulated-plant.ts';
import { corpusAlerts } from '../src/corpus/alerts.ts';
import { Feed } from '../src/corpus/feed.ts';
import { corpusFindings } from '../src/corpus/findings.ts';
import { corpusTelemetry } from '../src/corpus/telemetry.ts';
import { ListedIndicators } from '../src/governance/indicators.ts';
import { offlineCatalog } from '../src/models/catalogs.ts';
import type { StoredInvestigation } from '../src/orchestrator/investigation-states.ts';
import { MemoryArtifacts } from '../src/platform/artifacts.ts';
import { MemoryDocuments } from '../src/platform/documents.ts';
import type { FalsePositivePattern } from '../src/platform/knowledge.ts';
import type { SocEmitter } from '../src/platform/recorder.ts';
import { minimumApprovalRules } from '../src/response-agent/response-policy.ts';
import { type ServiceName, Soc, type SocOptions } from '../src/soc.ts';
import { controlled, type ProviderStates } from './llm-router/calls.ts';
import { type TestParts, testParts } from './platform-parts.ts';

export interface PlatformOptions {
  readonly audit?: boolean;
  readonly auditOf?: ((service: ServiceName, clock: Clock) => SocEmitter | undefined) | undefined;
  /** When the morning begins. */
  readonly now?: string;
  readonly investigations?: MemoryDocuments<StoredInvestigation>;
  /** Sees every call of a model. */
  readonly watchModel?: (model: LanguageModelV4) => LanguageModelV4;
  /** How long gates wait for their intents, by the clock of the machine. @defaultValue long, so that a busy machine repeats nothing */
  readonly acknowledgeWithinMs?: number;
}

/** All services over topics in memory and a desk in memory, with everything that a test wants to look at. */
export function wholePlatform(options: PlatformOptions = {}) {
  const parts = morningParts(options);
  const desk: MemoryDesk = createMemoryDesk({
    requester: 'response-agent',
    clock: parts.clock,
    minimumRules: () => minimumApprovalRules(parts.settings),
  });
  const platform = { ...platformOver(desk, parts, options), desk };
  return { ...platform, decideAll: () => decideAll(platform) };
}

/** Parts of a platform whose morning begins at eight. */
export function morningParts({
  audit = true,
  now = '2026-11-20T08:00:00Z',
  acknowledgeWithinMs = 60_000,
}: PlatformOptions = {}): TestParts {
  const parts = testParts({ audit, now });
  parts.settings.response.acknowledgeWithinMs = acknowledgeWithinMs;
  return parts;
}

/** All services over topics in memory, and the desk of the caller. */
export function platformOver(
  desk: SocOptions['desk'],
  parts: TestParts,
  {
    auditOf,
    watchModel = (model) => model,
    investigations = new MemoryDocuments<StoredInvestigation>(),
  }: PlatformOptions,
) {
  const providers: ProviderStates = {};
  const fail = controlled(providers);
  const plant = new SimulatedPlant();
  const artifacts = new MemoryArtifacts();
  const patterns = new MemoryDocuments<FalsePositivePattern>();
  const soc = new Soc({
    topics: parts.topics,
    ids: parts.ids,
    clock: parts.clock,
    settings: parts.settings,
    tenants: parts.tenants,
    auditOf: (service) => (auditOf === undefined ? parts.audit : auditOf(service, parts.clock)),
    catalog: offlineCatalog((model) => watchModel(fail(model))),
    artifacts,
    actuators: plant,
    intelligence: new ListedIndicators(),
    desk,
    patterns,
    investigations,
    onError: (error) => {
      throw error;
    },
  });
  return {
    ...parts,
    providers,
    plant,
    artifacts,
    patterns,
    investigations,
    soc,
    feed: new Feed(parts.topics, parts.ids),
  };
}

export type Platform = ReturnType<typeof wholePlatform>;

/** A platform, and what people do who decide everything that waits at its desk. */
export interface PlayedPlatform extends ReturnType<typeof platformOver> {
  decideAll(): Promise<void>;
}

/** What people and the world do on the morning of the corpus. It makes every event type happen that the platform emits. */
export async function playMorning(platform: PlayedPlatform): Promise<void> {
  const { soc, feed, providers, plant, settings, clock } = platform;
  // One system refuses once, so that what the plan did before is undone.
  plant.failing = ({ kind, target }) => kind === 'block_domain' && target.id === 'c2.evil.example';
  await soc.start();
  await soc.governance.refreshKnowledge(
    [{ article_id: 'phishing', text: 'How to judge a mail' }],
    feed.newLineage('acme'),
  );
  for (const telemetry of corpusTelemetry) await feed.telemetry(telemetry);
  for (const finding of corpusFindings) await feed.finding(finding);
  await soc.settled();

  const [first, second, ...rest] = corpusAlerts;
  providers.offline = 'fails';
  await feed.alert(first!);
  await soc.settled();
  providers['offline-standby'] = 'fails';
  await feed.alert(second!);
  await soc.settled();
  providers.offline = providers['offline-standby'] = 'works';
  for (const alert of rest) await feed.alert(alert);
  await soc.settled();

  // A provider is down for a while, and comes back.
  providers.offline = 'fails';
  await platform.decideAll();
  for (let batches = 0; batches < 4; batches++) await soc.batchScheduler.flush();
  await soc.settled();
  clock.advance(settings.router.breaker.openMs);
  providers.offline = 'works';
  await playGovernance(platform);
}

/** People decide everything that waits: they deny what would stop production, and let one request time out. */
async function decideAll({ desk, soc, clock, settings }: Omit<Platform, 'decideAll'>): Promise<void> {
  for (let decided = 0; ; decided++) {
    const waiting = desk.list().filter(({ state }) => state === 'pending');
    const [approval] = waiting;
    if (approval === undefined) return;
    const { tenant_id, action } = approval.document;
    if (decided === 3) {
      clock.advance(2 * Math.max(...Object.values(settings.response.approvalWindowMs)));
    } else if (action === 'stop_production_line') {
      await desk.decide(tenant_id, approval.id, { verdict: 'deny', subject: 'mia' });
    } else {
      await desk.decide(tenant_id, approval.id, { verdict: 'grant', subject: 'mia' });
      if (approval.rules.approvals > 1)
        await desk.decide(tenant_id, approval.id, { verdict: 'grant', subject: 'jo' });
    }
    // The plan goes on beside the topics, until it is settled or asks for the next approval.
    const isDone = () => {
      const { state } = desk.list().find(({ id }) => id === approval.id)!;
      return state !== 'pending' && state !== 'granted';
    };
    await until(isDone, { what: `the end of approval ${action}` });
    await until(
      () => soc.responseAgent.openPlans === desk.list().filter(({ state }) => state === 'pending').length,
      {
        what: 'plans that wait for nothing',
      },
    );
    await soc.settled();
  }
}

async function playGovernance({ soc, feed, patterns, settings }: PlayedPlatform): Promise<void> {
  const acme = feed.newLineage('acme');
  const { governance, batchScheduler } = soc;
  for (const pattern of await patterns.list('acme')) {
    await batchScheduler.approve('acme', pattern.pattern_id, 'mia', acme);
    await batchScheduler.approve('acme', pattern.pattern_id, 'jo', acme);
  }
  const again = corpusAlerts.find(({ name }) => name === 'scanner-4')!;
  await feed.alert({
    ...again,
    payload: { ...(again.payload as object), flow_id: 1, timestamp: '2026-11-20T11:00:00.000000+0000' },
  });
  await soc.settled();
  const [pattern] = await patterns.list('acme');
  await batchScheduler.revoke('acme', pattern!.pattern_id, 'kim', 'the scanner was replaced', acme);
  await governance.activateKillSwitch({ kind: 'source', value: 'suricata' }, 'mia', 'maintenance', acme);
  await governance.deactivateKillSwitch({ kind: 'source', value: 'suricata' }, 'mia', 'done', acme);
  await governance.changeSetting('shortCircuit.minimumScore', 0.95, 'kim', 'be more careful', acme);
  await governance.approveGoLive('mia', 'two weeks without a mistake', feed.newLineage('shady'));
  for (const [candidate, agrees] of [
    ['prompt alert.classify 2', true],
    ['prompt alert.classify 3', false],
  ] as const) {
    const canary = await governance.startCanary(candidate, acme);
    for (let state = 'running'; state === 'running'; )
      state = await governance.compareCanary(canary, agrees, acme);
  }
  await governance.refreshKnowledge(
    [{ article_id: 'phishing', text: 'How to judge a mail, second edition' }],
    acme,
  );
  const shadowed = corpusAlerts.find(({ name }) => name === 'curl-pipe-shell')!;
  await feed.alert({ ...shadowed, tenantId: 'shady' });
  settings.router.spendPerMonthUsd = { soft: await soc.router.spentUsd('acme'), hard: 1_000 };
  const more = corpusAlerts.find(({ name }) => name === 'printer')!.payload as Record<string, unknown>;
  await feed.alert({
    name: 'after-soft-limit',
    kind: 'harmless',
    tenantId: 'acme',
    source: 'wazuh',
    payload: { ...more, id: 'soft.1' },
  });
  await soc.settled();
  settings.router.spendPerMonthUsd = { soft: 0, hard: await soc.router.spentUsd('acme') };
  await feed.alert({
    name: 'after-hard-limit',
    kind: 'harmless',
    tenantId: 'acme',
    source: 'wazuh',
    payload: { ...more, id: 'hard.1' },
  });
  await soc.settled();
}
