import { join } from 'node:path';
import { type AuditEmitter, createAuditEmitter, systemClock } from '@tallystick/sdk';
import { embeddedDesk, transportOf } from '@tallystick/server/embedded';
import { SimulatedPlant } from '../actuators/simulated-plant.ts';
import { Feed } from '../corpus/feed.ts';
import { ListedIndicators } from '../governance/indicators.ts';
import { namedCatalog } from '../models/named-catalog.ts';
import { ArtifactDirectory } from '../platform/artifacts.ts';
import { MemoryDocuments } from '../platform/documents.ts';
import { createIds } from '../platform/ids.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import { MemoryTopics } from '../platform/memory-topics.ts';
import { type SocEmitter, taxonomy } from '../platform/recorder.ts';
import { defaultSettings } from '../platform/settings.ts';
import { TenantDirectory } from '../platform/tenants.ts';
import { minimumApprovalRules } from '../response-agent/response-policy.ts';
import { Soc } from '../soc.ts';
import type { DemoPlatform, PlatformOptions } from './platform.ts';

/** All services in this process, over topics in memory. Their records go to an audit service in this process. */
export async function startInOneProcess(options: PlatformOptions): Promise<DemoPlatform> {
  const { tenants, directory } = options;
  const { service } = options.running;
  // Each plan that waits for people asks the desk at this interval. With hundreds of them, a shorter one leaves the database no time.
  const desk = embeddedDesk(service, { subject: 'response-agent', intervalMs: 100 });
  const settings = structuredClone(defaultSettings);
  await desk.setRules('*', '*', minimumApprovalRules(settings));
  let isStopped = false;
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
    catalog: await namedCatalog(options.models),
    artifacts: new ArtifactDirectory(join(directory, 'artifacts')),
    actuators: new SimulatedPlant(),
    intelligence: new ListedIndicators(),
    desk: {
      ...desk,
      // A demo that is stopped leaves what waits for people open. Gates must not take the end of the audit service for an answer of the desk.
      decided: (...request) =>
        desk
          .decided(...request)
          .catch((error: unknown) => (isStopped ? new Promise<never>(() => {}) : Promise.reject(error))),
    },
    patterns,
    onError: (error) => {
      throw error;
    },
  });
  await soc.start();
  const feed = new Feed(topics, ids);
  return {
    feed,
    async settled() {
      await soc.settled();
      await Promise.all(emitters.map((emitter) => emitter.flush()));
    },
    openPlans: async () => soc.responseAgent.openPlans,
    async review() {
      while (soc.batchScheduler.waiting > 0) await soc.batchScheduler.flush();
    },
    patternsOf: (tenantId) => patterns.list(tenantId),
    async approvePattern(tenantId, patternId, person) {
      await soc.batchScheduler.approve(tenantId, patternId, person, feed.newLineage(tenantId));
    },
    async stop() {
      isStopped = true;
      await soc.stop();
      const reports = await Promise.all(emitters.map((emitter) => emitter.close()));
      const lost = reports.reduce(
        (sum, { rejected, dropped, unconfirmed }) => sum + rejected + dropped + unconfirmed,
        0,
      );
      if (lost > 0) throw new Error(`${lost} events are not in the trail: refused, dropped or not confirmed`);
    },
  };
}
