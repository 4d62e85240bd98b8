import { outcomeShape } from '../schema/event.ts';
import { boolean, list, number, openObject, string } from '../schema/shape.ts';
import { defineTaxonomy, typesOf } from './taxonomy.ts';

const contextShape = openObject({
  llm_provider: string(),
  llm_model_id: string(),
  llm_model_tier: string(),
  llm_system_prompt_hash: string(),
  llm_user_content_hash: string(),
  llm_prompt_template_id: string(),
  llm_prompt_template_version: string(),
  llm_input_tokens: number({ minimum: 0 }),
  llm_output_tokens: number({ minimum: 0 }),
  llm_cache_read_tokens: number({ minimum: 0 }),
  llm_cache_write_tokens: number({ minimum: 0 }),
  llm_cost_usd: number({ minimum: 0 }),
  llm_latency_ms: number({ minimum: 0 }),
  llm_raw_response_hash: string(),
  llm_extended_thinking_used: boolean(),
  llm_tool_use_schema: string(),
  retrieval_stores_queried: list(string()),
  retrieval_query_hashes: list(string()),
  retrieval_results_count: number({ minimum: 0 }),
  retrieval_results_used: number({ minimum: 0 }),
  retrieval_token_budget: number({ minimum: 0 }),
  retrieval_token_used: number({ minimum: 0 }),
  retrieval_sources: list(string()),
  taxonomy_version_attack: string(),
  taxonomy_version_atlas: string(),
  techniques_identified: list(string()),
  techniques_validated: list(string()),
  techniques_quarantined: list(string()),
  risk_state: string(),
  risk_data_freshness_hours: number({ minimum: 0 }),
  ctem_exposures_matched: number({ minimum: 0 }),
  similar_incidents_found: number({ minimum: 0 }),
  fp_patterns_checked: number({ minimum: 0 }),
  fp_pattern_matched: string(),
  degradation_level: string(),
  provider_health: openObject({}),
  evidence_refs: list(string()),
});

const decisionShape = openObject({
  decision_type: string(),
  classification: string(),
  confidence: number({ minimum: 0, maximum: 1 }),
  confidence_basis: string(),
  severity_assigned: string(),
  recommended_actions: list(string()),
  reasoning_summary: string(),
  constraints_applied: list(string()),
  alternatives_considered: list(string()),
});

const outcomeShapeOfAi = openObject({
  ...outcomeShape.fields,
  action_taken: string(),
  action_target: string(),
  error_details: string(),
  duration_ms: number({ minimum: 0 }),
  state_before: string(),
  state_after: string(),
  cost_incurred_usd: number({ minimum: 0 }),
  approval_requested_from: string(),
  approval_received_from: string(),
  approval_channel: string(),
  approval_latency_ms: number({ minimum: 0 }),
  approval_comment: string(),
  analyst_feedback_correct: boolean(),
  analyst_feedback_rating: number(),
  analyst_feedback_comment: string(),
  analyst_feedback_timestamp: string(),
});

// Declared as interfaces, so that declaration files name them. Anonymous types would be repeated for each of the 48 types.
type ContextShape = typeof contextShape;
type DecisionShape = typeof decisionShape;
type OutcomeShape = typeof outcomeShapeOfAi;
interface AiContextShape extends ContextShape {}
interface AiDecisionShape extends DecisionShape {}
interface AiOutcomeShape extends OutcomeShape {}
/** The parts that events of every type of {@link soc} may have. */
interface AiPayload {
  readonly context: AiContextShape;
  readonly decision: AiDecisionShape;
  readonly outcome: AiOutcomeShape;
}

/** Basis of an AI decision: the model call, retrieval, technique taxonomies, risk and environment. */
export const aiContext: AiContextShape = contextShape;
/** The decision, its confidence and its reasons. */
export const aiDecision: AiDecisionShape = decisionShape;
/** The result: the action, its cost, the approval and the analyst's judgement. */
export const aiOutcome: AiOutcomeShape = outcomeShapeOfAi;
const payload: AiPayload = { context: aiContext, decision: aiDecision, outcome: aiOutcome };

/** The 48 event types of an AI security operations centre, in five categories. */
export const soc = defineTaxonomy({
  name: 'soc',
  types: {
    ...typesOf('decision', payload, {
      'alert.classified': 'An alert was parsed and classified',
      'alert.auto_closed': 'An alert was closed without a human',
      'alert.escalated': 'An alert was handed to a human',
      'alert.short_circuited': 'An alert matched a known pattern and skipped analysis',
      'investigation.state_changed': 'An investigation moved from one state to another',
      'investigation.enriched': 'An investigation was enriched with context',
      'playbook.selected': 'A playbook was chosen for a response',
      'playbook.generated': 'A playbook was drafted from past investigations',
      'ctem.exposure_scored': 'An exposure was scored',
      'atlas.detection_fired': 'A detection rule fired',
      'routing.tier_selected': 'A model tier was chosen for a call',
      'routing.provider_failover': 'A model call went to the fallback provider',
      'canary.promoted': 'A canary was promoted',
      'canary.rolled_back': 'A canary was rolled back',
      'shadow.decision_logged': 'A decision was made in shadow mode, without effect',
    }),
    ...typesOf('action', payload, {
      'response.prepared': 'A response action was prepared',
      'response.executed': 'A response action was executed',
      'response.rolled_back': 'A response action was undone',
      'response.generated': 'A final report was written',
      'ioc.enriched': 'An indicator of compromise was looked up',
      'fp_pattern.created': 'A false-positive pattern was proposed',
      'fp_pattern.activated': 'A false-positive pattern took effect',
      'ctem.remediation_assigned': 'The remediation of an exposure was assigned',
      'ctem.remediation_verified': 'The remediation of an exposure was verified',
      'knowledge.indexed': 'Knowledge was indexed',
      'embedding.reindexed': 'Embeddings were computed again',
    }),
    ...typesOf('approval', payload, {
      'approval.requested': 'An approval was requested',
      'approval.granted': 'An approval was granted',
      'approval.denied': 'An approval was refused',
      'approval.timed_out': 'An approval was not given in time',
      'approval.escalated': 'An approval was passed to another person',
      'fp_pattern.approved': 'A false-positive pattern was approved by one person',
      'fp_pattern.revoked': 'A false-positive pattern was withdrawn',
      'shadow.go_live_approved': 'Leaving shadow mode was approved',
    }),
    ...typesOf('security', payload, {
      'injection.detected': 'Text that tries to instruct a model was found',
      'injection.quarantined': 'Input was kept from the model',
      'technique.quarantined': 'A technique that does not exist was removed from a model answer',
      'accumulation.threshold_breached': 'Small actions added up to more than is allowed',
      'spend.soft_limit': 'Spending passed its warning limit',
      'spend.hard_limit': 'Spending reached its limit and calls are refused',
    }),
    ...typesOf('system', payload, {
      'degradation.entered': 'The platform entered a degraded mode',
      'degradation.exited': 'The platform left a degraded mode',
      'kill_switch.activated': 'A kill switch was pulled',
      'kill_switch.deactivated': 'A kill switch was released',
      'config.changed': 'Configuration was changed',
      'circuit_breaker.opened': 'A circuit breaker opened',
      'circuit_breaker.closed': 'A circuit breaker closed',
      'system.genesis': 'First record of a chain; reserved for the audit service',
    }),
  },
});

type ConstantName<T extends string> = T extends `${infer A}.${infer B}`
  ? `${Uppercase<A>}_${ConstantName<B>}`
  : Uppercase<T>;

const constantName = (type: string) => type.replaceAll('.', '_').toUpperCase();

/** The types of {@link soc} as constants: `EventTaxonomy.ALERT_CLASSIFIED` is `'alert.classified'`. */
export const EventTaxonomy = Object.freeze(
  Object.fromEntries(soc.types.map((type) => [constantName(type), type])),
) as { readonly [T in (typeof soc.types)[number] as ConstantName<T>]: T };

/** The categories of {@link soc} as constants. */
export const EventCategory = Object.freeze({
  DECISION: 'decision',
  ACTION: 'action',
  APPROVAL: 'approval',
  SECURITY: 'security',
  SYSTEM: 'system',
});
