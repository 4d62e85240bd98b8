import { GateError } from '../../gate/errors.ts';
import type { Gate } from '../../gate/gate.ts';
import { toolContext } from '../agent/agent-run.ts';
import type { ToolOptions } from '../agent/tool-options.ts';
import { runsAmong } from './callbacks.ts';

/** What is used of the manager that a tool is called with. */
interface ToolRunManager {
  readonly runId: string;
  readonly handlers?: readonly object[];
  handleToolEvent?(chunk: unknown): Promise<void>;
}

interface ToolConfig {
  readonly signal?: AbortSignal | undefined;
  readonly toolCall?: { readonly id?: string | undefined } | undefined;
}

/** A tool of the library, as its `invoke` calls it: with arguments that have the tool's schema. */
interface CallableTool {
  readonly name: string;
  _call(args: unknown, manager: ToolRunManager | undefined, config: ToolConfig): unknown;
}

/**
 * Puts tools behind a gate, for `ToolNode`, `createAgent` or your own loop. A call that is not allowed throws a {@link GateError},
 * which `ToolNode` passes to the model as a message with the status `error`. If the run has {@link auditCallbacks}, tenant and actor
 * come from there, and the parent of the intent is the model call that asked for the tool.
 *
 * @throws {GateError} `CONFIG_INVALID` for an object that is not a tool
 */
export function gatedTools<T extends readonly { readonly name: string }[]>(
  gate: Gate,
  tools: T,
  options: ToolOptions = {},
): T {
  return tools.map((tool) => gatedTool(gate, tool as unknown as CallableTool, options)) as unknown as T;
}

function gatedTool(gate: Gate, tool: CallableTool, { describe }: ToolOptions): CallableTool {
  if (typeof tool._call !== 'function')
    throw new GateError('CONFIG_INVALID', `${tool.name} is not a tool of LangChain: it has no method _call`);
  const call: CallableTool['_call'] = (args, manager, config = {}) => {
    const toolCallId = config.toolCall?.id;
    const ofRun = manager && runsAmong(manager.handlers)?.gatedTool(manager.runId);
    return gate.run(
      {
        context: toolContext(tool.name, toolCallId),
        ...ofRun,
        ...describe?.({ toolName: tool.name, toolCallId, arguments: args }),
        action: tool.name,
        arguments: args,
        signal: config.signal,
      },
      async (copy, { signal }) => {
        const result = await tool._call(copy, manager, { ...config, signal });
        return drain(result, manager);
      },
    );
  };
  // The rest of the tool is inherited, also what an application changes later.
  return Object.create(tool, { _call: { value: call, writable: true, configurable: true } }) as CallableTool;
}

/** The result of a tool. Of a generator that is what it returns, and what it yields goes to the library as events. */
async function drain(result: unknown, manager: ToolRunManager | undefined): Promise<unknown> {
  if (Object.prototype.toString.call(result) !== '[object AsyncGenerator]') return result;
  const generator = result as AsyncGenerator<unknown, unknown>;
  for (;;) {
    const { done, value } = await generator.next();
    if (done === true) return value;
    await manager?.handleToolEvent?.(value);
  }
}
