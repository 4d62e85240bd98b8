import type { Verdict } from './investigation.ts';
import type { Lineage } from './lineage.ts';
import type { Severity, TenantTier } from './settings.ts';

export const modelTiers = ['0', '1', '1+', '2'] as const;
/** Fast, default, default with extended thinking, batch. */
export type ModelTier = (typeof modelTiers)[number];

/** What the orchestrator asks of a model, through the context gateway. */
export interface ReasoningRequest {
  readonly lineage: Lineage;
  /** Which prompt: `alert.classify`, `alert.summarise`, `report.write` … */
  readonly task: string;
  readonly severity: Severity;
  readonly tenantTier: TenantTier;
  readonly instructions: string;
  /** What the model may read. Each piece is marked as evidence and never as an instruction. The newest comes first. */
  readonly evidence: readonly { readonly ref: string; readonly text: string }[];
  readonly needsReasoning: boolean;
  readonly timeBudgetMs?: number | undefined;
  readonly previousConfidence?: number | undefined;
}

/** The checked answer of a model. */
export interface Reasoning {
  readonly status: 'answered' | 'quarantined' | 'refused' | 'failed';
  readonly verdict?: Verdict | undefined;
  readonly confidence?: number | undefined;
  readonly summary?: string | undefined;
  /** Only ids that exist in ATT&CK or ATLAS. */
  readonly techniques: readonly string[];
  readonly recommendedActions: readonly string[];
  readonly tier?: ModelTier | undefined;
  readonly costUsd: number;
  /** Why there is no answer. */
  readonly reason?: string | undefined;
  /** `audit_id` of the event that records the call. */
  readonly eventId: string;
}

/** Answers questions about evidence. The context gateway implements it. */
export interface Reasoner {
  /** Does not reject for a model that fails: the answer's status says it. */
  reason(request: ReasoningRequest): Promise<Reasoning>;
}

/** One call that the gateway has prepared: all of its text may be sent to a provider. */
export interface ModelCall {
  readonly lineage: Lineage;
  readonly task: string;
  readonly templateVersion: string;
  readonly system: string;
  readonly user: string;
  readonly severity: Severity;
  readonly tenantTier: TenantTier;
  readonly contextTokens: number;
  readonly needsReasoning: boolean;
  readonly timeBudgetMs?: number | undefined;
  readonly previousConfidence?: number | undefined;
}

export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

/** How a call ended, successful or not. */
export interface ModelAnswer {
  readonly status: 'answered' | 'refused' | 'failed';
  readonly text?: string | undefined;
  readonly tier: ModelTier;
  readonly provider?: string | undefined;
  readonly modelId?: string | undefined;
  readonly usage: ModelUsage;
  readonly costUsd: number;
  readonly latencyMs: number;
  readonly extendedThinking: boolean;
  /** Why the tier was chosen. */
  readonly tierReason: string;
  readonly reason?: string | undefined;
  /** Providers that were tried, in order. */
  readonly attempts: readonly { readonly provider: string; readonly error?: string | undefined }[];
}

/** Chooses tier and provider, calls the model and fails over. The LLM router implements it. */
export interface ModelRouter {
  /** Does not reject for a provider that fails: the answer's status says it. */
  complete(call: ModelCall): Promise<ModelAnswer>;
  /** Money that the tenant has spent this month, in US dollars. */
  spentUsd(tenantId: string): Promise<number>;
}
