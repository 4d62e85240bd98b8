/**
 * Event types of AI agents and of the approvals of their actions.
 *
 * Members of `context` whose names begin with `gen_ai.` have the names and meanings of the OpenTelemetry semantic conventions for
 * generative AI, version 1.41.0. `ai_agent` and `ai_model` have the members of the OCSF objects of these names (profile
 * `ai_operation`).
 */
import { outcomeShape } from '../schema/event.ts';
import { any, boolean, enumeration, list, number, openObject, string } from '../schema/shape.ts';
import { defineTaxonomy, typesOf } from './taxonomy.ts';

const tokens = (description: string) => number({ minimum: 0, description });
const digest = (description: string) => string({ pattern: /^sha256:[0-9a-f]{64}$/, description });

const actionContext = openObject({
  ai_agent: openObject(
    { uid: string(), name: string(), instance_uid: string(), type: string(), version: string() },
    { description: 'The agent: its stable id, and the id of this run' },
  ),
  ai_model: openObject(
    { ai_provider: string(), name: string(), version: string() },
    { description: 'The model that the agent used' },
  ),
  'gen_ai.operation.name': string({ description: 'chat, execute_tool, invoke_agent, …' }),
  'gen_ai.provider.name': string(),
  'gen_ai.conversation.id': string(),
  'gen_ai.request.model': string(),
  'gen_ai.response.model': string(),
  'gen_ai.response.id': string(),
  'gen_ai.response.finish_reasons': list(string()),
  'gen_ai.usage.input_tokens': tokens('Tokens of the prompt'),
  'gen_ai.usage.output_tokens': tokens('Tokens of the answer'),
  'gen_ai.usage.cache_read.input_tokens': tokens('Tokens of the prompt that came from a cache'),
  'gen_ai.usage.cache_creation.input_tokens': tokens('Tokens of the prompt that were written to a cache'),
  'gen_ai.tool.name': string(),
  'gen_ai.tool.call.id': string(),
  'gen_ai.tool.type': string({ description: 'function, extension or datastore' }),
  'gen_ai.workflow.name': string(),
  'mcp.method.name': string({ description: 'tools/call, resources/read, …' }),
  'mcp.resource.uri': string(),
  'mcp.session.id': string(),
  'jsonrpc.request.id': string(),
  prompt_digest: digest('SHA-256 of the canonical JSON of what the model was sent. The text is not stored'),
  response_digest: digest('SHA-256 of the canonical JSON of what the model answered. The text is not stored'),
  action: string({ minLength: 1, description: 'Name of the tool or action' }),
  arguments: any({ description: 'Arguments of the action, as far as they may be shown' }),
  document_digest: digest('SHA-256 of the canonical JSON of what was decided, shown and executed'),
  approval_id: string(),
  arguments_hidden: openObject(
    {},
    { description: 'JSON pointer of each argument that is not shown → commitment, as in `sealed`' },
  ),
  deadline: string({ description: 'When the effect must have been reported' }),
  fail_open: boolean({ description: 'Whether the action runs even if its intent was not acknowledged' }),
  acknowledged: enumeration(['accepted', 'none'], {
    description:
      'What was known of the intent when the effect began, if it was not chained: a queue in front of the chain had it, or nothing',
  }),
  late: boolean({ description: 'Whether the effect ended after it had counted as timed out' }),
  sender: enumeration(['client', 'server'], { description: 'Who sent the messages that did not pass' }),
  refused: list(openObject({ reason: string(), count: number({ minimum: 1 }) }), {
    description: 'How many messages did not pass, by reason',
  }),
  reason_unverified: string({ description: 'Reason that the agent gave. Nothing checked it' }),
});

const actionDecision = openObject({
  effect: enumeration(['allow', 'deny', 'ask'], { description: 'What the policy decided' }),
  policy: openObject(
    { name: string(), version: string(), digest: digest('SHA-256 of the canonical policy') },
    { description: 'The policy that decided' },
  ),
  rule: string({ description: 'The rule that matched, or `default`' }),
  reason: string(),
});

const actionOutcome = openObject({
  ...outcomeShape.fields,
  duration_ms: number({ minimum: 0 }),
  result_digest: digest('SHA-256 of the canonical JSON of the result'),
  cost_usd: number({ minimum: 0 }),
  state_before: string(),
  state_after: string(),
});

// Declared as interfaces, so that declaration files name them. Anonymous types would be repeated for each type.
type ContextShape = typeof actionContext;
type DecisionShape = typeof actionDecision;
type OutcomeShape = typeof actionOutcome;
interface AgentContextShape extends ContextShape {}
interface AgentDecisionShape extends DecisionShape {}
interface AgentOutcomeShape extends OutcomeShape {}
/** The parts that events of every type of {@link agent} may have. */
interface AgentPayload {
  readonly context: AgentContextShape;
  readonly decision: AgentDecisionShape;
  readonly outcome: AgentOutcomeShape;
}

const payload: AgentPayload = {
  context: actionContext,
  decision: actionDecision,
  outcome: actionOutcome,
};

/**
 * What agents do, in the order intent, decision, approval, effect. The service itself writes `agent.action.unresolved` and
 * `agent.action.unexplained`; they are in the taxonomy {@link log}.
 */
export const agent = defineTaxonomy({
  name: 'agent',
  types: {
    ...typesOf('agent', payload, {
      'agent.action.intended': 'An agent declared an action before its effect',
      'agent.action.decided': 'A policy allowed the action, denied it or asked for an approval',
      'agent.action.completed': 'The action ended; the outcome says how',
      'agent.action.abandoned': 'The action was given up before it had an effect',
      'agent.tool.called': 'A tool was called without a gate; the outcome says how the call ended',
      'agent.message.refused':
        'A proxy did not pass on messages of an agent or of a server; the context counts them',
      'agent.model.called': 'A model was called; the outcome says how the call ended',
      'agent.state.changed': 'A workflow moved from one state to another',
      'agent.run.started': 'An agent began a run',
      'agent.run.completed': 'An agent ended a run',
    }),
    ...typesOf('approval', payload, {
      'approval.requested': 'An approval was requested',
      'approval.reminded': 'The approvers were reminded',
      'approval.escalated': 'An approval was passed to other approvers',
      'approval.granted': 'An approver granted the request',
      'approval.denied': 'An approver denied the request',
      'approval.timed_out': 'No decision was made in time',
      'approval.withdrawn': 'The requester withdrew the request',
      'approval.expired': 'The approval was granted, but not used in time',
      'approval.claimed': 'The approval was used for its one execution',
      'approval.refused': 'An attempt to decide or to claim was refused',
      'approval.break_glass': 'The action was permitted without the required approval, for a stated reason',
    }),
  },
});
