import { join } from 'node:path';
import { type AuditEmitter, createAuditEmitter, systemClock } from '@tallystick/sdk';
import { embeddedDesk, transportOf } from '@tallystick/server/embedded';
import { SimulatedPlant } from '../actuators/simulated-plant.ts';
import { Feed } from '../corpus/feed.ts';
import { ListedIndicators } from '../governance/indicators.ts';
import { offlineCatalog } from '../models/catalogs.ts';
import { ArtifactDirectory } from '../platform/artifacts.ts';
import { MemoryDocuments } from '../platform/documents.ts';
import { createIds } from '../platform/ids.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import { MemoryTopics } from '../platform/memory-topics.ts';
import { type SocEmitter, taxonomy } from '../platform/recorder.ts';
import { defaultSettings } from '../platform/settings.ts';
import { type Tenant, TenantDirectory } from '../platform/tenants.ts';
import { minimumApprovalRules } from '../response-agent/response-policy.ts';
import { Soc } from '../soc.ts';

export interface PlatformOptions {
  /** The audit service in this process. */
  readonly service: Parameters<typeof transportOf>[0];
  readonly tenants: readonly Tenant[];
  /** Directory for prompts and answers. */
  readonly directory: string;
  readonly onError: (error: unknown) => void;
}

/** The platform of the demo: all services, over topics in memory. Their records go to an audit service in this process. */
export interface DemoPlatform {
  readonly soc: Soc;
  readonly feed: Feed;
  readonly patterns: MemoryDocuments<FalsePositivePattern>;
  /** Delivers what the services have emitted so far. */
  flush(): Promise<void>;
  /** Stops the services. @returns how many events are not in the trail: refused, dropped or not confirmed */
  stop(): Promise<number>;
}

export async function startPlatform(options: PlatformOptions): Promise<DemoPlatform> {
  const { service, tenants, directory, onError } = options;
  const desk = embeddedDesk(service, { subject: 'response-agent', intervalMs: 50 });
  const settings = structuredClone(defaultSettings);
  await desk.setRules('*', '*', minimumApprovalRules(settings));
  const emitters: AuditEmitter<typeof taxonomy, undefined>[] = [];
  const topics = new MemoryTopics();
  const ids = createIds(systemClock);
  const patterns = new MemoryDocuments<FalsePositivePattern>();
  const soc = new Soc({
    topics,
    ids,
    clock: systemClock,
    settings,
    tenants: new TenantDirectory(tenants),
    auditOf: (name) => {
      // Each service has its own emitter, and all of them share the trail.
      const emitter = createAuditEmitter({ service: name, taxonomy, transport: transportOf(service) });
      emitters.push(emitter as unknown as AuditEmitter<typeof taxonomy, undefined>);
      return emitter as unknown as SocEmitter;
    },
    catalog: offlineCatalog(),
    artifacts: new ArtifactDirectory(join(directory, 'artifacts')),
    actuators: new SimulatedPlant(),
    intelligence: new ListedIndicators(),
    desk,
    patterns,
    onError,
  });
  await soc.start();
  return {
    soc,
    patterns,
    feed: new Feed(topics, ids),
    flush: async () => void (await Promise.all(emitters.map((emitter) => emitter.flush()))),
    async stop() {
      await soc.stop();
      const reports = await Promise.all(emitters.map((emitter) => emitter.close()));
      return reports.reduce(
        (sum, { rejected, dropped, unconfirmed }) => sum + rejected + dropped + unconfirmed,
        0,
      );
    },
  };
}
