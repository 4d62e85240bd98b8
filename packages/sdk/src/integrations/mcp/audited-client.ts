import type { Gate } from '../../gate/gate.ts';
import { type AgentRun, outcomeOf, since } from '../agent/agent-run.ts';
import { contentDigest } from '../agent/content-digest.ts';
import { text } from '../agent/model-call.ts';
import type { ToolOptions } from '../agent/tool-options.ts';
import { endOfToolResult, mcpToolAction } from './mapping.ts';

/** What is used of a client. Declared here, so that the types of MCP need not be installed. */
export interface McpClient {
  // biome-ignore lint/suspicious/noExplicitAny: the types of parameters and results are the library's
  callTool(params: any, resultSchema?: any, options?: any): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: the types of parameters and results are the library's
  readResource(params: any, options?: any): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: the types of parameters and results are the library's
  getPrompt(params: any, options?: any): Promise<any>;
}

/** Options of {@link auditedClient}. */
export interface AuditedClientOptions extends ToolOptions {
  /** Name of the server, as policies and records know it. What a server calls itself is not checked. */
  readonly server: string;
  /** The run that the calls belong to. */
  readonly run: AgentRun;
  /** Decides about tool calls. @defaultValue none: tool calls are recorded after they ended */
  readonly gate?: Gate | undefined;
}

/** The calls of a client that are recorded. */
export type AuditedClient<C extends McpClient> = Pick<C, 'callTool' | 'readResource' | 'getPrompt'>;

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * The calls of an MCP client, with records. With a gate, a tool call that is not allowed throws a `GateError` and is not sent. The
 * reading of resources and prompts is recorded when it has ended. A tool result with `isError` is recorded as a failure.
 */
export function auditedClient<C extends McpClient>(
  client: C,
  { server, run, gate, describe }: AuditedClientOptions,
): AuditedClient<C> {
  const recorded = async <R>(
    what: { readonly action: string; readonly context: Record<string, unknown> },
    call: () => Promise<R>,
  ): Promise<R> => {
    const startedAt = performance.now();
    const record = (outcome: Record<string, unknown>) =>
      run.record({
        eventType: 'agent.tool.called',
        parentEventId: run.startedId,
        target: { type: 'mcp_server', id: server },
        context: { ...what.context, action: text(what.action) },
        outcome: { ...outcome, duration_ms: since(startedAt) },
      });
    let result: R;
    try {
      result = await call();
    } catch (error) {
      record(outcomeOf({ failed: true, error }));
      throw error;
    }
    const { isError } = Object(result) as { isError?: unknown };
    const failure = isError === true && { outcomeStatus: 'failure', errorCode: 'TOOL_ERROR' };
    const digest = contentDigest(result);
    record({
      ...outcomeOf({ failed: false }),
      ...failure,
      ...(digest !== undefined && { result_digest: digest }),
    });
    return result;
  };

  const calls: McpClient = {
    callTool(params: { name: string; arguments?: unknown }, resultSchema, options: CallOptions = {}) {
      const { name: toolName, arguments: args = {} } = params;
      const { action, target, context } = mcpToolAction({ server, toolName });
      if (gate === undefined)
        return recorded({ action, context: { ...context } }, () =>
          client.callTool(params, resultSchema, options),
        );
      const ofRun = run.actionFor(toolName, undefined);
      return gate.run(
        {
          target,
          ...ofRun,
          ...describe?.({ toolName, toolCallId: undefined, arguments: args }),
          action,
          context: { ...ofRun.context, ...context },
          arguments: args,
          signal: options.signal,
        },
        async (copy, { signal, ended }) => {
          const sent = { ...params, arguments: copy };
          const result: unknown = await client.callTool(sent, resultSchema, { ...options, signal });
          const { isError, resultType } = Object(result) as { isError?: unknown; resultType?: unknown };
          ended({ ...endOfToolResult(isError === true, resultType), resultDigest: contentDigest(result) });
          return result;
        },
      );
    },
    readResource(params: { uri: string }, options) {
      const context = { 'mcp.method.name': 'resources/read', 'mcp.resource.uri': text(params.uri) };
      return recorded({ action: 'resources/read', context }, () => client.readResource(params, options));
    },
    getPrompt(params: { name: string }, options) {
      const context = { 'mcp.method.name': 'prompts/get', 'gen_ai.prompt.name': text(params.name) };
      return recorded({ action: 'prompts/get', context }, () => client.getPrompt(params, options));
    },
  };
  return calls;
}
