import { estimateTokens } from '../models/offline-model.ts';
import { type Artifact, type ArtifactStore, hashOf } from '../platform/artifacts.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import type {
  ModelAnswer,
  ModelCall,
  ModelRouter,
  Reasoner,
  Reasoning,
  ReasoningRequest,
} from '../platform/reasoning.ts';
import { Recorder } from '../platform/recorder.ts';
import type { ServiceParts } from '../platform/service.ts';
import { taxonomyVersions } from '../platform/techniques.ts';
import { fitBudget, type JudgedPiece, judgePieces, summarise, wrapEvidence } from './evidence.ts';
import { type CheckedOutput, checkOutput } from './model-output.ts';
import { PersonalData } from './personal-data.ts';
import { type PromptTemplate, promptTemplates } from './prompts.ts';

/** A request whose text may be sent to a provider. */
interface PreparedCall {
  readonly call: ModelCall;
  readonly template: PromptTemplate;
  readonly pieces: readonly JudgedPiece[];
  readonly used: readonly JudgedPiece[];
  readonly personal: PersonalData;
}

/** What the gateway did with the answer of the router. */
interface Judgement {
  readonly status: Reasoning['status'];
  readonly output?: CheckedOutput | undefined;
  readonly reason?: string | undefined;
}

/**
 * Stands between the platform and every model: it keeps injections, personal data and too much text away from the model, checks what the
 * model answers, and records each call.
 */
export class ContextGateway implements Reasoner {
  readonly name = 'context-gateway';
  readonly #parts: ServiceParts;
  readonly #router: ModelRouter;
  readonly #artifacts: ArtifactStore;
  readonly #recorder: Recorder;

  constructor(parts: ServiceParts & { readonly router: ModelRouter; readonly artifacts: ArtifactStore }) {
    this.#parts = parts;
    this.#router = parts.router;
    this.#artifacts = parts.artifacts;
    this.#recorder = new Recorder(this.name, parts.ids, parts.audit);
  }

  async reason(request: ReasoningRequest): Promise<Reasoning> {
    const { gateway } = this.#parts.settings;
    const pieces = judgePieces(request.evidence, gateway.maliciousFromWeight);
    const malicious = pieces.filter((piece) => piece.class === 'malicious');
    if (malicious.length > 0) return this.#quarantine(request.lineage, pieces, malicious);

    const prepared = this.#prepare(request, pieces);
    const eventId = await this.#announce(prepared);
    const answer = await this.#router.complete(prepared.call);
    const judgement = judge(answer, prepared.personal);
    await this.#record(eventId, prepared, answer, judgement);
    const { output, status, reason } = judgement;
    if (output !== undefined && output.unknownTechniques.length > 0) {
      this.#recordUnknownTechniques(after(request.lineage, eventId), answer, output);
    }
    return {
      status,
      verdict: output?.verdict,
      confidence: output?.confidence,
      summary: output?.summary,
      techniques: output?.techniques ?? [],
      recommendedActions: output?.recommendedActions ?? [],
      tier: answer.tier,
      costUsd: answer.costUsd,
      reason,
      eventId,
    };
  }

  #prepare(request: ReasoningRequest, pieces: readonly JudgedPiece[]): PreparedCall {
    const template = promptTemplates[request.task] ?? {
      id: request.task,
      version: '0',
      system: request.instructions,
    };
    const personal = new PersonalData();
    const readable = pieces.map((piece) => ({
      ...piece,
      text: personal.hide(piece.class === 'suspicious' ? summarise(piece) : piece.text),
    }));
    const { used } = fitBudget(readable, this.#parts.settings.gateway.contextBudgetTokens);
    const user = [personal.hide(request.instructions), ...used.map(wrapEvidence)].join('\n\n');
    const { lineage, task, severity, tenantTier, needsReasoning, timeBudgetMs, previousConfidence } = request;
    return {
      template,
      pieces,
      used,
      personal,
      call: {
        lineage,
        task,
        templateVersion: template.version,
        system: template.system,
        user,
        severity,
        tenantTier,
        contextTokens: estimateTokens(template.system + user),
        needsReasoning,
        timeBudgetMs,
        previousConfidence,
      },
    };
  }

  /**
   * Stores the texts of a call before it is made, and what is recorded if the process ends before the answer.
   *
   * @returns the id of the event that records the call
   */
  async #announce({ call, template, pieces }: PreparedCall): Promise<string> {
    const auditId = this.#parts.ids.next();
    await this.#store(call, auditId, 'system_prompt', call.system);
    await this.#store(call, auditId, 'user_content', call.user);
    this.#recorder.mark('routing.tier_selected', call.lineage, interrupted(call, template, pieces), auditId);
    return auditId;
  }

  async #store(call: ModelCall, auditId: string, type: Artifact['type'], text: string): Promise<void> {
    const { tenantId } = call.lineage;
    await this.#artifacts.put({ tenantId, auditId, type, text, at: this.#parts.clock.now() });
  }

  /** The record of the call, successful or not. The texts are stored beside it; the record has their hashes. */
  async #record(
    auditId: string,
    prepared: PreparedCall,
    answer: ModelAnswer,
    { status, output, reason }: Judgement,
  ): Promise<void> {
    const { call, template, pieces, used, personal } = prepared;
    const { settings } = this.#parts;
    const wasCalled = answer.status === 'answered';
    if (answer.text !== undefined) await this.#store(call, auditId, 'raw_response', answer.text);
    const left = pieces.filter(({ ref }) => !used.some((piece) => piece.ref === ref));
    this.#recorder.emit(
      'routing.tier_selected',
      call.lineage,
      {
        severity: status === 'answered' ? 'info' : 'warning',
        targetType: 'model',
        targetId: answer.modelId ?? `tier ${answer.tier}`,
        context: {
          llm_provider: answer.provider,
          llm_model_id: answer.modelId,
          llm_model_tier: answer.tier,
          ...promptContext(call, template),
          llm_input_tokens: answer.usage.inputTokens,
          llm_output_tokens: answer.usage.outputTokens,
          llm_cache_read_tokens: answer.usage.cacheReadTokens,
          llm_cache_write_tokens: answer.usage.cacheWriteTokens,
          llm_cost_usd: answer.costUsd,
          llm_latency_ms: answer.latencyMs,
          llm_raw_response_hash: answer.text === undefined ? undefined : hashOf(answer.text),
          llm_extended_thinking_used: wasCalled && answer.extendedThinking,
          retrieval_sources: used.map(({ ref }) => ref),
          retrieval_results_count: pieces.length,
          retrieval_results_used: used.length,
          retrieval_token_budget: settings.gateway.contextBudgetTokens,
          retrieval_token_used: call.contextTokens,
          ...taxonomyVersions,
          techniques_identified:
            output === undefined ? [] : [...output.techniques, ...output.unknownTechniques],
          techniques_validated: [...(output?.techniques ?? [])],
          techniques_quarantined: [...(output?.unknownTechniques ?? [])],
          evidence_refs: pieces.map(({ ref }) => ref),
          provider_attempts: answer.attempts.map(({ provider, error }) =>
            error === undefined ? { provider } : { provider, error },
          ),
          personal_data_hidden: personal.size,
        },
        decision: {
          decision_type: 'model_call',
          classification: output?.verdict ?? status,
          confidence: output?.confidence,
          confidence_basis: output === undefined ? undefined : 'stated by the model',
          severity_assigned: call.severity,
          recommended_actions: [...(output?.recommendedActions ?? [])],
          reasoning_summary: output?.summary ?? reason,
          constraints_applied: constraintsOf(answer, pieces, left, personal),
        },
        outcome: {
          outcome_status: status === 'answered' ? 'success' : status === 'refused' ? 'blocked' : 'failure',
          duration_ms: answer.latencyMs,
          cost_incurred_usd: answer.costUsd,
          error_code: reason === undefined ? undefined : errorCodeOf(answer, reason),
          error_message: reason,
        },
      },
      auditId,
    );
  }

  #recordUnknownTechniques(lineage: Lineage, answer: ModelAnswer, output: CheckedOutput): void {
    this.#recorder.emit('technique.quarantined', lineage, {
      severity: 'warning',
      targetType: 'model',
      targetId: answer.modelId ?? 'unknown',
      context: {
        ...taxonomyVersions,
        techniques_validated: [...output.techniques],
        techniques_quarantined: [...output.unknownTechniques],
      },
      decision: {
        decision_type: 'technique_check',
        classification: 'unknown_technique',
        confidence: 1,
        reasoning_summary: `${output.unknownTechniques.join(', ')} is not in ATT&CK or ATLAS; it was removed from the answer`,
      },
      outcome: { outcome_status: 'success', action_taken: 'removed' },
    });
  }

  #quarantine(
    lineage: Lineage,
    pieces: readonly JudgedPiece[],
    malicious: readonly JudgedPiece[],
  ): Reasoning {
    const signs = malicious.flatMap((piece) => piece.signs);
    const patterns = [...new Set(signs.map(({ pattern }) => pattern))];
    const reason = `${malicious.map(({ ref }) => ref).join(', ')} instructs the model: ${patterns.join(', ')}`;
    const eventId = this.#recorder.emit('injection.quarantined', lineage, {
      severity: 'critical',
      targetType: 'evidence',
      targetId: malicious[0]!.ref,
      context: {
        detection_count: signs.length,
        detections: signs.map(({ pattern, where, encoding, weight }) => ({
          pattern,
          where,
          encoding,
          weight,
        })),
        evidence_refs: pieces.map(({ ref }) => ref),
        evidence_hashes: malicious.map(({ ref, text }) => ({ ref, hash: hashOf(text) })),
      },
      decision: {
        decision_type: 'injection',
        classification: 'malicious',
        confidence: Math.max(...signs.map(({ weight }) => weight)),
        confidence_basis: 'the highest weight of a pattern that matched',
        reasoning_summary: reason,
      },
      outcome: { outcome_status: 'blocked', action_taken: 'no model was called' },
    });
    return { status: 'quarantined', techniques: [], recommendedActions: [], costUsd: 0, reason, eventId };
  }
}

function promptContext(call: ModelCall, template: PromptTemplate) {
  return {
    llm_system_prompt_hash: hashOf(call.system),
    llm_user_content_hash: hashOf(call.user),
    llm_prompt_template_id: template.id,
    llm_prompt_template_version: template.version,
  };
}

/** What is recorded of a call if the process ended before its answer, or if the work that needed it failed. */
function interrupted(call: ModelCall, template: PromptTemplate, pieces: readonly JudgedPiece[]) {
  return {
    severity: 'warning' as const,
    targetType: 'model',
    targetId: 'unknown',
    context: { ...promptContext(call, template), evidence_refs: pieces.map(({ ref }) => ref) },
    decision: {
      decision_type: 'model_call',
      classification: 'interrupted',
      severity_assigned: call.severity,
      reasoning_summary: 'the work that asked the model was interrupted, and is done again',
    },
    outcome: {
      outcome_status: 'failure' as const,
      error_code: 'INTERRUPTED',
      error_message: 'it is unknown whether a model was called and what it answered; no answer was used',
    },
  };
}

function judge(answer: ModelAnswer, personal: PersonalData): Judgement {
  if (answer.status !== 'answered') return { status: answer.status, reason: answer.reason };
  const output = checkOutput(answer.text ?? '');
  if ('problem' in output) return { status: 'failed', reason: output.problem };
  return { status: 'answered', output: { ...output, summary: personal.restore(output.summary) } };
}

function constraintsOf(
  { tierReason }: ModelAnswer,
  pieces: readonly JudgedPiece[],
  left: readonly JudgedPiece[],
  personal: PersonalData,
): string[] {
  const suspicious = pieces.filter((piece) => piece.class === 'suspicious').length;
  return [
    `tier: ${tierReason}`,
    ...(suspicious > 0 ? [`${suspicious} suspicious texts were summarised`] : []),
    ...(left.length > 0 ? [`${left.length} pieces of evidence exceeded the context budget`] : []),
    ...(personal.size > 0 ? [`${personal.size} personal data were replaced by placeholders`] : []),
  ];
}

/** The router's reasons begin with a code. */
function errorCodeOf({ status }: ModelAnswer, reason: string): string {
  if (status === 'failed') return 'NO_PROVIDER';
  return status === 'refused' ? reason.slice(0, reason.indexOf(':')) : 'OUTPUT_INVALID';
}
