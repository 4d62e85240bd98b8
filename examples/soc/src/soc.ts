import type { Actuators } from './actuators/actuators.ts';
import { AtlasDetection } from './atlas-detection/atlas-detection.ts';
import { BatchScheduler } from './batch-scheduler/batch-scheduler.ts';
import { ContextGateway } from './context-gateway/context-gateway.ts';
import { CtemNormaliser } from './ctem-normaliser/ctem-normaliser.ts';
import { EntityParser } from './entity-parser/entity-parser.ts';
import { Governance } from './governance/governance.ts';
import type { ThreatIntelligence } from './governance/indicators.ts';
import { LlmRouter } from './llm-router/llm-router.ts';
import type { ModelCatalog } from './models/model-catalog.ts';
import type { StoredInvestigation } from './orchestrator/investigation-states.ts';
import { Orchestrator } from './orchestrator/orchestrator.ts';
import type { ArtifactStore } from './platform/artifacts.ts';
import { deadLetterRecords } from './platform/dead-letter-records.ts';
import { type Documents, MemoryDocuments } from './platform/documents.ts';
import type { FalsePositivePattern } from './platform/knowledge.ts';
import type { MemoryTopics } from './platform/memory-topics.ts';
import { Recorder, type SocEmitter } from './platform/recorder.ts';
import type { Service, ServiceParts } from './platform/service.ts';
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
  readonly topics: MemoryTopics;
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
}

/** All services of the platform in one process, over topics in memory. */
export class Soc {
  readonly orchestrator: Orchestrator;
  readonly responseAgent: ResponseAgent;
  readonly batchScheduler: BatchScheduler;
  readonly governance: Governance;
  readonly router: LlmRouter;
  readonly #topics: MemoryTopics;
  readonly #services: readonly Service[];

  constructor(options: SocOptions) {
    const { auditOf, catalog, artifacts, actuators, intelligence, desk, investigations, ...shared } = options;
    const patterns = options.patterns ?? new MemoryDocuments<FalsePositivePattern>();
    const recorders = new Map<string, Recorder>();
    const partsOf = (service: ServiceName): ServiceParts => {
      const audit = auditOf?.(service);
      recorders.set(service, new Recorder(service, shared.ids, audit));
      return { ...shared, audit };
    };
    this.#topics = options.topics;
    this.#topics.recordDeadLetter = deadLetterRecords((consumer) => recorders.get(consumer), shared.tenants);
    this.governance = new Governance({ ...partsOf('governance'), intelligence });
    const controls = this.governance;
    this.router = new LlmRouter({ ...partsOf('llm-router'), catalog });
    const reasoner = new ContextGateway({ ...partsOf('context-gateway'), router: this.router, artifacts });
    this.orchestrator = new Orchestrator({
      ...partsOf('orchestrator'),
      reasoner,
      controls,
      patterns,
      ...(investigations !== undefined && { investigations }),
    });
    this.responseAgent = new ResponseAgent({ ...partsOf('response-agent'), desk, actuators, controls });
    this.batchScheduler = new BatchScheduler({ ...partsOf('batch-scheduler'), reasoner, patterns });
    this.#services = [
      this.governance,
      this.batchScheduler,
      this.responseAgent,
      this.orchestrator,
      new CtemNormaliser(partsOf('ctem-normaliser')),
      new AtlasDetection(partsOf('atlas-detection')),
      // Last, because it starts the flow.
      new EntityParser(partsOf('entity-parser')),
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
