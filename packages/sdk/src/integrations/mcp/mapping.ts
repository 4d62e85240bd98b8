/**
 * How the Model Context Protocol maps to records: the same for servers, clients and the proxy `tally mcp`, so that a policy and a
 * search find a tool call wherever it was gated.
 */
import { GateError } from '../../gate/errors.ts';
import type { GatedAction, StatedEnd } from '../../gate/options.ts';
import { text } from '../agent/model-call.ts';

/** A `tools/call` request. */
export interface McpToolCall {
  /** Name of the server, as policies and records know it. What a server calls itself is not checked. */
  readonly server: string;
  readonly toolName: string;
  readonly requestId?: string | number | undefined;
  readonly sessionId?: string | undefined;
}

/** The members of the gated action for a tool call: the action is the tool's name, and the target is the server. */
export function mcpToolAction({
  server,
  toolName,
  requestId,
  sessionId,
}: McpToolCall): Pick<GatedAction, 'action' | 'context'> & { readonly target: { type: string; id: string } } {
  const request = requestId === undefined ? undefined : text(String(requestId));
  const session = text(sessionId);
  return {
    action: toolName,
    target: { type: 'mcp_server', id: server },
    context: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': text(toolName),
      'mcp.method.name': 'tools/call',
      ...(session !== undefined && { 'mcp.session.id': session }),
      ...(request !== undefined && { 'jsonrpc.request.id': request }),
    },
  };
}

/**
 * How a call ended, by the members of its result: a result with `isError` is a failure. A result that asks for input, or that is a
 * handle of a task, is not the end of the tool's work: the record says which it is.
 */
export function endOfToolResult(isError: boolean, resultType: unknown): StatedEnd {
  const interim = typeof resultType === 'string' && resultType !== 'complete';
  return {
    ...(isError ? { status: 'failure', errorCode: 'TOOL_ERROR' } : { status: 'success' }),
    ...(interim && { details: { result_type: resultType.slice(0, 100) } }),
  };
}

/** A tool result for a call that was not executed. */
export interface NotExecutedResult {
  [member: string]: unknown;
  readonly content: { readonly type: 'text'; readonly text: string }[];
  readonly isError: true;
  readonly _meta: { readonly [name: string]: unknown };
}

/**
 * The answer to a call that was not executed: a tool result with `isError`, and not a protocol error. The specification (revision
 * 2025-11-25, "Error Handling" of tools) keeps protocol errors for requests that are malformed or name an unknown tool, and says
 * that models see tool errors and can correct themselves. A denial is for the model: it must learn that nothing happened, and why.
 */
export function notExecutedResult(toolName: string, error: unknown): NotExecutedResult {
  const { code, message, approvalId, intentId } =
    error instanceof GateError ? error : { code: 'GATE_FAILED', message: 'the gate failed' };
  return {
    content: [{ type: 'text', text: `The call of ${toolName} was not executed: ${message} (${code}).` }],
    isError: true,
    _meta: {
      'tallystick/code': code,
      ...(intentId !== undefined && { 'tallystick/intent': intentId }),
      ...(approvalId !== undefined && { 'tallystick/approval': approvalId }),
    },
  };
}
