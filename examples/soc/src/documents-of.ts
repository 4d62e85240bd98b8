import type { Firing } from './atlas-detection/atlas-detection.ts';
import type { Reviewed } from './batch-scheduler/learning.ts';
import type { Cluster } from './batch-scheduler/mining.ts';
import type { SeenAlert } from './entity-parser/entity-parser.ts';
import type { CountedActions } from './governance/accumulation-guard.ts';
import type { Canary } from './governance/canary.ts';
import type { KillSwitch } from './governance/kill-switches.ts';
import type { KnowledgeIndex } from './governance/knowledge-base.ts';
import type { ChangedSetting } from './governance/setting-paths.ts';
import type { ShadowMode } from './governance/shadow-modes.ts';
import type { Standing } from './llm-router/standing-states.ts';
import type { Usage } from './llm-router/usage.ts';
import type { StoredInvestigation } from './orchestrator/investigation-states.ts';
import type { Detection } from './platform/detection.ts';
import { type Documents, MemoryDocuments } from './platform/documents.ts';
import type { Exposure } from './platform/exposure.ts';
import type { FalsePositivePattern, PlaybookDraft } from './platform/knowledge.ts';
import type { StoredPlan } from './response-agent/response-agent.ts';
import type { SocOptions } from './soc.ts';

/** The documents of each service. What is `undefined` the service keeps in memory. */
export function documentsOf({
  documents,
  investigations,
  patterns: given,
}: Pick<SocOptions, 'documents' | 'investigations' | 'patterns'>) {
  const of = <T>(kind: string): Documents<T> | undefined => documents?.<T>(kind);
  // The batch scheduler writes patterns, and the orchestrator reads them.
  const patterns =
    given ?? of<FalsePositivePattern>('patterns') ?? new MemoryDocuments<FalsePositivePattern>();
  return {
    entityParser: { seen: of<SeenAlert>('seen alerts') },
    atlasDetection: { firings: of<Firing>('firings') },
    ctemNormaliser: { exposures: of<Exposure>('scored exposures') },
    router: { usage: of<Usage>('usage'), standing: of<Standing>('standing states') },
    orchestrator: {
      patterns,
      investigations: investigations ?? of<StoredInvestigation>('investigations'),
      exposures: of<Exposure>('known exposures'),
      detections: of<Detection>('detections'),
    },
    responseAgent: { plans: of<StoredPlan>('plans') },
    batchScheduler: {
      patterns,
      reviewed: of<Reviewed>('reviewed'),
      clusters: of<Cluster>('clusters'),
      playbooks: of<PlaybookDraft>('playbooks'),
    },
    governance: {
      killSwitches: of<KillSwitch>('kill switches'),
      shadowModes: of<ShadowMode>('shadow modes'),
      canaries: of<Canary>('canaries'),
      automaticActions: of<CountedActions>('automatic actions'),
      changedSettings: of<ChangedSetting>('changed settings'),
      knowledge: of<KnowledgeIndex>('knowledge'),
      reported: of<true>('final reports'),
    },
  };
}
