/**
 * Audit events of agents that are built with the AI SDK: model calls, and tools behind a gate.
 *
 * @example
 * const run = startAgentRun({ audit, tenantId: 'acme', actor: { actorType: 'agent', actorId: 'refund-bot' } });
 * await generateText({
 *   model: wrapLanguageModel({ model, middleware: auditModelCalls(run) }),
 *   tools: gatedTools(gate, tools, { run }),
 *   …
 * });
 */
export { type AgentRun, type AgentRunOptions, startAgentRun } from './agent/agent-run.ts';
export type { DescribedCall, ToolCallDetails } from './agent/tool-options.ts';
export { type GatedToolsOptions, gatedTools } from './ai/gated-tools.ts';
export { auditModelCalls, type ModelMiddleware } from './ai/model-middleware.ts';
