/**
 * Audit events of agents that are built with LangChain or LangGraph: model calls, transitions between nodes, and tools behind a gate.
 *
 * @example
 * const graph = new StateGraph(MessagesAnnotation).addNode('tools', new ToolNode(gatedTools(gate, tools)))…;
 * await graph.invoke(input, { callbacks: [auditCallbacks({ audit, tenantId: 'acme', actor })] });
 */
export type { AgentOptions } from './agent/agent-run.ts';
export type { DescribedCall, ToolCallDetails, ToolOptions } from './agent/tool-options.ts';
export { type AuditCallbacks, auditCallbacks } from './langchain/callbacks.ts';
export { gatedTools } from './langchain/gated-tools.ts';
