import { join } from 'node:path';
import type { Actuators } from '../actuators/actuators.ts';
import type { ModelCatalog } from '../models/model-catalog.ts';
import type { CatalogName } from '../models/named-catalog.ts';
import type { Documents } from '../platform/documents.ts';
import type { DurableStore } from '../platform/durable/store.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import type { Lineage } from '../platform/lineage.ts';
import { RepeatableIds } from '../platform/repeatable-ids.ts';
import type { ServiceParts } from '../platform/service.ts';
import type { ResponseAgentParts } from '../response-agent/response-agent.ts';
import type { ServiceName } from '../soc.ts';
import type { CallClient } from './calls/call-client.ts';
import type { Calls } from './calls/call-server.ts';
import { remoteControls } from './calls/controls.ts';
import { reasonerCalls, remoteReasoner } from './calls/reasoner.ts';
import { remoteRouter } from './calls/router.ts';
import { keepPatterns, publishedPatterns } from './published-patterns.ts';

/** What a process has for the service that it runs. */
export interface ProcessParts extends ServiceParts {
  readonly units: DurableStore;
  readonly documents: <T>(kind: string) => Documents<T>;
  /** Another process of the platform. */
  readonly remote: (service: ServiceName) => CallClient;
  /** Where approvals are requested. */
  readonly desk: ResponseAgentParts['desk'];
  /** For files of the service. */
  readonly directory: string;
  readonly models: CatalogName;
  /** @defaultValue those that `models` names */
  readonly catalog?: ModelCatalog | undefined;
  /** @defaultValue a simulated plant */
  readonly actuators?: Actuators | undefined;
  readonly newLineage: (tenantId: string) => Lineage;
}

/** A service in a process of its own. */
export interface RunnableService {
  start(): Promise<void>;
  /** Finishes its current work, and accepts no more. */
  stop(): Promise<void>;
  /** What other processes may call. */
  readonly calls?: Calls;
  /** Work that is being done beside the topics. */
  readonly busy?: () => number;
  /** Work that waits for people. */
  readonly open?: () => number;
}

const none = async () => {};

/** How each service is put together from the parts of its process. A process loads the code of its own service only. */
export const compositions: Readonly<Record<ServiceName, (parts: ProcessParts) => Promise<RunnableService>>> =
  {
    async 'entity-parser'(parts) {
      const { EntityParser } = await import('../entity-parser/entity-parser.ts');
      return new EntityParser({ ...parts, seen: parts.documents('seen alerts') });
    },

    async 'ctem-normaliser'(parts) {
      const { CtemNormaliser } = await import('../ctem-normaliser/ctem-normaliser.ts');
      return new CtemNormaliser({ ...parts, exposures: parts.documents('scored exposures') });
    },

    async 'atlas-detection'(parts) {
      const { AtlasDetection } = await import('../atlas-detection/atlas-detection.ts');
      return new AtlasDetection({ ...parts, firings: parts.documents('firings') });
    },

    async orchestrator(parts) {
      const { Orchestrator } = await import('../orchestrator/orchestrator.ts');
      const patterns = parts.documents<FalsePositivePattern>('patterns');
      const orchestrator = new Orchestrator({
        ...parts,
        // The gateway records calls that follow from events which the orchestrator has not yet stored. If the orchestrator is killed before it
        // stores them, it makes them again with the same ids.
        ids: new RepeatableIds('orchestrator', parts.ids),
        reasoner: remoteReasoner(parts.remote('context-gateway')),
        controls: remoteControls(parts.remote('governance')),
        patterns,
        investigations: parts.documents('investigations'),
        exposures: parts.documents('known exposures'),
        detections: parts.documents('detections'),
      });
      let unsubscribe: () => Promise<void> = none;
      return {
        async start() {
          unsubscribe = await parts.topics.subscribe('patterns', 'orchestrator', keepPatterns(patterns));
          await orchestrator.start();
        },
        stop: async () => void (await Promise.all([orchestrator.stop(), unsubscribe()])),
      };
    },

    async 'context-gateway'(parts) {
      const { ContextGateway } = await import('../context-gateway/context-gateway.ts');
      const { ArtifactDirectory } = await import('../platform/artifacts.ts');
      const gateway = new ContextGateway({
        ...parts,
        router: remoteRouter(parts.remote('llm-router')),
        artifacts: new ArtifactDirectory(join(parts.directory, 'artifacts')),
      });
      return { start: none, stop: none, ...reasonerCalls(gateway, parts.units) };
    },

    async 'llm-router'(parts) {
      const { LlmRouter } = await import('../llm-router/llm-router.ts');
      const { namedCatalog } = await import('../models/named-catalog.ts');
      const { routerCalls } = await import('./calls/router.ts');
      const router = new LlmRouter({
        ...parts,
        catalog: parts.catalog ?? (await namedCatalog(parts.models)),
        usage: parts.documents('usage'),
        standing: parts.documents('standing states'),
      });
      return { start: none, stop: none, calls: routerCalls(router, parts.units) };
    },

    async 'response-agent'(parts) {
      const { ResponseAgent } = await import('../response-agent/response-agent.ts');
      const { SimulatedPlant } = await import('../actuators/simulated-plant.ts');
      const { responseCalls } = await import('./calls/people.ts');
      const agent = new ResponseAgent({
        ...parts,
        actuators: parts.actuators ?? new SimulatedPlant(),
        controls: remoteControls(parts.remote('governance')),
        plans: parts.documents('plans'),
      });
      return {
        start: () => agent.start(),
        stop: () => agent.stop(),
        calls: responseCalls(agent),
        busy: () => agent.workingPlans,
        open: () => agent.openPlans,
      };
    },

    async 'batch-scheduler'(parts) {
      const { BatchScheduler } = await import('../batch-scheduler/batch-scheduler.ts');
      const { schedulerCalls } = await import('./calls/people.ts');
      const own = parts.documents<FalsePositivePattern>('patterns');
      const patterns = publishedPatterns(own, parts.topics, parts.newLineage);
      const scheduler = new BatchScheduler({
        ...parts,
        reasoner: remoteReasoner(parts.remote('context-gateway')),
        patterns,
        reviewed: parts.documents('reviewed'),
        clusters: parts.documents('clusters'),
        playbooks: parts.documents('playbooks'),
      });
      return {
        start: () => scheduler.start(),
        stop: () => scheduler.stop(),
        calls: schedulerCalls(scheduler, own),
      };
    },

    async governance(parts) {
      const { Governance } = await import('../governance/governance.ts');
      const { ListedIndicators } = await import('../governance/indicators.ts');
      const { controlsCalls } = await import('./calls/controls.ts');
      const { governanceCalls } = await import('./calls/people.ts');
      const governance = new Governance({
        ...parts,
        intelligence: new ListedIndicators(),
        killSwitches: parts.documents('kill switches'),
        shadowModes: parts.documents('shadow modes'),
        canaries: parts.documents('canaries'),
        automaticActions: parts.documents('automatic actions'),
        changedSettings: parts.documents('changed settings'),
        knowledge: parts.documents('knowledge'),
        reported: parts.documents('final reports'),
      });
      return {
        start: () => governance.start(),
        stop: () => governance.stop(),
        calls: { ...controlsCalls(governance, parts.units), ...governanceCalls(governance) },
      };
    },
  };
