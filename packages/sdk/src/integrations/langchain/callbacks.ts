import type { AgentOptions } from '../agent/agent-run.ts';
import { reportTo } from '../report.ts';
import { type ModelAnswer, Runs } from './runs.ts';

/** The runs of each handler. A gated tool finds its handler among those that the library passes to it. */
const runsOf = new WeakMap<object, Runs>();

/** The runs of our handler among the given ones. */
export function runsAmong(handlers: readonly object[] | undefined): Runs | undefined {
  for (const handler of handlers ?? []) {
    const runs = runsOf.get(handler);
    if (runs !== undefined) return runs;
  }
  return undefined;
}

type Texts = string[] | undefined;
type Data = Record<string, unknown> | undefined;

/** A callback handler of LangChain. Declared here, so that the types of LangChain need not be installed. */
export interface AuditCallbacks {
  readonly name: string;
  readonly awaitHandlers: true;
  handleChainStart(
    chain: unknown,
    inputs: unknown,
    runId: string,
    parent?: string,
    tags?: Texts,
    data?: Data,
    type?: string,
    name?: string,
  ): void;
  handleChainEnd(outputs: unknown, runId: string): void;
  handleChainError(error: unknown, runId: string): void;
  handleChatModelStart(
    model: unknown,
    messages: unknown[][],
    runId: string,
    parent?: string,
    extra?: Data,
    tags?: Texts,
    data?: Data,
    name?: string,
  ): void;
  handleLLMStart(
    model: unknown,
    prompts: string[],
    runId: string,
    parent?: string,
    extra?: Data,
    tags?: Texts,
    data?: Data,
    name?: string,
  ): void;
  handleLLMEnd(output: unknown, runId: string): void;
  handleLLMError(error: unknown, runId: string): void;
  handleToolStart(
    tool: unknown,
    input: unknown,
    runId: string,
    parent?: string,
    tags?: Texts,
    data?: Data,
    name?: string,
    callId?: string,
  ): void;
  handleToolEnd(output: unknown, runId: string): void;
  handleToolError(error: unknown, runId: string): void;
}

/**
 * A callback handler that records the runs of an agent: each run without a parent, its model calls, its tool calls that have no
 * gate, and the transitions between the nodes of LangGraph.
 *
 * @example
 * await graph.invoke(input, { callbacks: [auditCallbacks({ audit, tenantId: 'acme', actor })] });
 */
export function auditCallbacks(options: AgentOptions): AuditCallbacks {
  const runs = new Runs(options);
  /** A fault of the records must not reach the application. */
  const safely = (record: () => void) => {
    try {
      record();
    } catch (error) {
      reportTo(options.onError, error);
    }
  };
  const failed = (error: unknown) => ({ failed: true, error });
  const callbacks: AuditCallbacks = {
    name: 'tallystick_audit',
    // The library waits for each call, so that the records are in the order of what happens.
    awaitHandlers: true,
    handleChainStart: (_chain, _inputs, runId, parentRunId, tags, metadata, _type, name) =>
      safely(() => runs.chainStarted({ runId, parentRunId, name, tags, metadata })),
    handleChainEnd: (_outputs, runId) => safely(() => runs.chainEnded(runId, { failed: false })),
    handleChainError: (error, runId) => safely(() => runs.chainEnded(runId, failed(error))),
    handleChatModelStart: (_model, messages, runId, parentRunId, extra, _tags, metadata, name) =>
      safely(() =>
        runs.modelStarted(
          { runId, parentRunId, name, metadata },
          messages.flat().map(readMessage),
          modelOf(extra),
        ),
      ),
    handleLLMStart: (_model, prompts, runId, parentRunId, extra, _tags, metadata, name) =>
      safely(() => runs.modelStarted({ runId, parentRunId, name, metadata }, prompts, modelOf(extra))),
    handleLLMEnd: (output, runId) => safely(() => runs.modelEnded(runId, answerOf(output))),
    handleLLMError: (error, runId) => safely(() => runs.modelEnded(runId, { error })),
    handleToolStart: (_tool, _input, runId, parentRunId, _tags, _metadata, name, callId) =>
      safely(() => runs.toolStarted({ runId, parentRunId, name }, callId)),
    handleToolEnd: (output, runId) => {
      const { status } = Object(output) as { status?: unknown };
      safely(() => runs.toolEnded(runId, { failed: status === 'error' }, readMessage(output)));
    },
    handleToolError: (error, runId) => safely(() => runs.toolEnded(runId, failed(error))),
  };
  runsOf.set(callbacks, runs);
  return callbacks;
}

function modelOf(extra: Data): unknown {
  const { model, model_name } = Object(extra?.invocation_params) as { model?: unknown; model_name?: unknown };
  return model ?? model_name;
}

/** What a message says, without the ids and the settings that the library adds. */
function readMessage(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || !('content' in message)) return message;
  const { type, content, tool_calls, tool_call_id } = message as Record<string, unknown>;
  const calls = Array.isArray(tool_calls) && tool_calls.length > 0 ? { tool_calls } : {};
  return { type, content, ...calls, ...(tool_call_id !== undefined && { tool_call_id }) };
}

interface Message {
  readonly id?: string;
  readonly tool_calls?: readonly { readonly id?: string }[];
  readonly usage_metadata?: {
    readonly input_tokens?: number;
    readonly output_tokens?: number;
    readonly input_token_details?: { readonly cache_read?: number; readonly cache_creation?: number };
  };
  readonly response_metadata?: { readonly [name: string]: unknown };
}

function answerOf(output: unknown): ModelAnswer {
  const { generations = [] } = Object(output) as {
    generations?: readonly (readonly { readonly text?: string; readonly message?: Message }[])[];
  };
  const answers = generations.flat();
  const message: Message = answers[0]?.message ?? {};
  const metadata = message.response_metadata ?? {};
  const word = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const reason = word(metadata.finish_reason) ?? word(metadata.stop_reason);
  const { input_tokens, output_tokens, input_token_details } = message.usage_metadata ?? {};
  return {
    content: answers.map((answer) =>
      answer.message === undefined ? answer.text : readMessage(answer.message),
    ),
    toolCallIds: answers.flatMap((answer) =>
      (answer.message?.tool_calls ?? []).flatMap(({ id }) => id ?? []),
    ),
    responseModel: word(metadata.model_name) ?? word(metadata.model),
    responseId: message.id,
    finishReasons: reason === undefined ? undefined : [reason],
    inputTokens: input_tokens,
    outputTokens: output_tokens,
    cacheReadTokens: input_token_details?.cache_read,
    cacheWriteTokens: input_token_details?.cache_creation,
  };
}
