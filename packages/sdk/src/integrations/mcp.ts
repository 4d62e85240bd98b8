/**
 * Audit events of servers and clients of the Model Context Protocol: tools behind a gate, and recorded calls.
 *
 * @example
 * server.registerTool('refund', { inputSchema }, gatedTool(gate, 'refund', async ({ order }) => …, { server: 'shop' }));
 * const calls = auditedClient(client, { server: 'shop', run, gate });
 */
export { type AgentRun, type AgentRunOptions, startAgentRun } from './agent/agent-run.ts';
export type { DescribedCall, ToolCallDetails } from './agent/tool-options.ts';
export { type AuditedClient, type AuditedClientOptions, auditedClient } from './mcp/audited-client.ts';
export { type GatedToolOptions, gatedTool, type ToolRequest } from './mcp/gated-tool.ts';
export {
  endOfToolResult,
  type McpToolCall,
  mcpToolAction,
  type NotExecutedResult,
  notExecutedResult,
} from './mcp/mapping.ts';
