import type { Actuators } from './actuators/actuators.ts';
import { AtlasDetection } from './atlas-detection/atlas-detection.ts';
import { BatchScheduler } from './batch-scheduler/batch-scheduler.ts';
import { ContextGateway } from './context-gateway/context-gateway.ts';
import { CtemNormaliser } from './ctem-normaliser/ctem-normaliser.ts';
import { documentsOf } from './documents-of.ts';
import { EntityParser } from './entity-parser/entity-parser.ts';
import { Governance } from './governance/governance.ts';
import type { ThreatIntelligence } from './governance/indicators.ts';
import { LlmRouter } from './llm-router/llm-router.ts';
import type { ModelCatalog } from './models/model-catalog.ts';
import type { StoredInvestigation } from './orchestrator/investigation-states.ts';
import { Orchestrator } from './orchestrator/orchestrator.ts';
import type { ArtifactStore } from './platform/artifacts.ts';
import { deadLetterRecords } from './platform/dead-letter-records.ts';
import type { Documents } from './platform/documents.ts';
import type { FalsePositivePattern } from './platform/knowledge.ts';
import { Recorder, type SocEmitter } from './platform/recorder.ts';
import type { Service, ServiceParts } from './platform/service.ts';
import type { LocalTopics } from './platform/topics.ts';
import { ResponseAgent, type ResponseAgentParts } from './response-agent/response-agent.ts';

/** The services, as their records name them. */
export type ServiceName =
  | 'entity-parser'
  | 'orchestrator'
  | 'context-gateway'
  | 'llm-router'
  | 'response-agent'
  | 'ctem-normaliser'
  | 'atlas-detection'
  | 'batch-scheduler'
  | 'governance';

export interface SocOptions extends Omit<ServiceParts, 'audit' | 'topics'> {
  readonly topics: LocalTopics;
  /** The emitter of each service. Each has one of its own, so that its losses are counted for it. @defaultValue none */
  readonly auditOf?: ((service: ServiceName) => SocEmitter | undefined) | undefined;
  readonly catalog: ModelCatalog;
  readonly artifacts: ArtifactStore;
  readonly actuators: Actuators;
  readonly intelligence: ThreatIntelligence;
  readonly desk: ResponseAgentParts['desk'];
  /** @defaultValue in memory */
  readonly investigations?: Documents<StoredInvestigation>;
  /** @defaultValue in memory */
  readonly patterns?: Documents<FalsePositivePattern>;
  /** Where services keep their other documents, by their kind. @defaultValue in memory */
  readonly documents?: (<T>(kind: string) => Documents<T>) | undefined;
}

/** All services of the platform in one process. */
export class Soc {
  readonly orchestrator: Orchestrator;
  readonly responseAgent: ResponseAgent;
  readonly batchScheduler: BatchScheduler;
  readonly governance: Governance;
  readonly router: LlmRouter;
  readonly #topics: LocalTopics;
  readonly #services: readonly Service[];

  constructor(options: SocOptions) {
    const { auditOf, catalog, artifacts, actuators, intelligence, desk, ...shared } = options;
    const kept = documentsOf(options);
    const recorders = new Map<string, Recorder>();
    const partsOf = (service: ServiceName): ServiceParts => {
      const audit = auditOf?.(service);
      recorders.set(service, new Recorder(service, shared.ids, audit));
      return { ...shared, audit };
    };
    this.#topics = options.topics;
    this.#topics.recordDeadLetter = deadLetterRecords((consumer) => recorders.get(consumer), shared.tenants);
    this.governance = new Governance({ ...partsOf('governance'), ...kept.governance, intelligence });
    const controls = this.governance;
    this.router = new LlmRouter({ ...partsOf('llm-router'), ...kept.router, catalog });
    const reasoner = new ContextGateway({ ...partsOf('context-gateway'), router: this.router, artifacts });
    this.orchestrator = new Orchestrator({
      ...partsOf('orchestrator'),
      reasoner,
      controls,
      ...kept.orchestrator,
    });
    this.responseAgent = new ResponseAgent({
      ...partsOf('response-agent'),
      ...kept.responseAgent,
      desk,
      actuators,
      controls,
    });
    this.batchScheduler = new BatchScheduler({
      ...partsOf('batch-scheduler'),
      ...kept.batchScheduler,
      reasoner,
    });
    this.#services = [
      this.governance,
      this.batchScheduler,
      this.responseAgent,
      this.orchestrator,
      new CtemNormaliser({ ...partsOf('ctem-normaliser'), ...kept.ctemNormaliser }),
      new AtlasDetection({ ...partsOf('atlas-detection'), ...kept.atlasDetection }),
      // Last, because it starts the flow.
      new EntityParser({ ...partsOf('entity-parser'), ...kept.entityParser }),
    ];
  }

  async start(): Promise<void> {
    for (const service of this.#services) await service.start();
  }

  /** Resolves when nothing moves any more: everything is handled, or waits for people. */
  async settled(): Promise<void> {
    for (;;) {
      await this.#topics.settled();
      await this.responseAgent.idle();
      if (this.#topics.isSettled) return;
    }
  }

  async stop(): Promise<void> {
    for (const service of this.#services.toReversed()) await service.stop();
  }
}
