import { GateError } from '../../gate/errors.ts';
import type { Gate } from '../../gate/gate.ts';
import type { Execution, GatedAction } from '../../gate/options.ts';
import { type AgentRun, toolContext } from '../agent/agent-run.ts';
import type { ToolOptions } from '../agent/tool-options.ts';

/** Options of {@link gatedTools}. */
export interface GatedToolsOptions extends ToolOptions {
  /** The run that the tool calls belong to. @defaultValue none: tenant and actor are those of the gate */
  readonly run?: AgentRun | undefined;
}

/** What is used of the options that the AI SDK calls a tool with. */
interface CallOptions {
  readonly toolCallId: string;
  readonly abortSignal?: AbortSignal | undefined;
}

type Execute = (input: unknown, options: CallOptions) => unknown;

/**
 * Puts the tools of `generateText`, `streamText` or an agent behind a gate. The returned tools are called as before. A call that is
 * not allowed throws a {@link GateError}, which the AI SDK passes to the model as the tool's error. The call's `abortSignal` ends the
 * wait for an approval.
 *
 * @throws {GateError} `CONFIG_INVALID` for a tool without `execute`. It runs in the browser or at the provider, where a gate can't
 *   stop it
 */
export function gatedTools<T extends { readonly [name: string]: object }>(
  gate: Gate,
  tools: T,
  options: GatedToolsOptions = {},
): T {
  const gated = Object.entries(tools).map(([name, tool]): [string, object] => {
    const { execute } = tool as { execute?: unknown };
    if (typeof execute !== 'function') {
      const message = `the tool ${name} has no execute function, so a gate can't stop it`;
      throw new GateError('CONFIG_INVALID', message);
    }
    const replaced = { execute: gatedExecute(gate, name, execute.bind(tool) as Execute, options) };
    return [name, Object.assign(Object.create(Object.getPrototypeOf(tool)), tool, replaced)];
  });
  return Object.fromEntries(gated) as T;
}

function gatedExecute(
  gate: Gate,
  toolName: string,
  execute: Execute,
  { run, describe }: GatedToolsOptions,
): Execute {
  const actionOf = (input: unknown, { toolCallId, abortSignal }: CallOptions): GatedAction<unknown> => ({
    context: toolContext(toolName, toolCallId),
    ...run?.actionFor(toolName, toolCallId),
    ...describe?.({ toolName, toolCallId, arguments: input }),
    action: toolName,
    arguments: input,
    signal: abortSignal,
  });
  const call = (args: unknown, options: CallOptions, { signal }: Execution) =>
    execute(args, { ...options, abortSignal: signal });

  // The AI SDK asks the returned value whether the tool streams, and the gate can't wait for a decision before it answers that.
  if (isGeneratorFunction(execute)) {
    return (input, options) =>
      streamedOutputs((output) =>
        gate.run(actionOf(input, options), async (args, execution) =>
          drain(call(args, options, execution), output),
        ),
      );
  }
  return async (input, options) =>
    gate.run(actionOf(input, options), async (args, execution) =>
      drain(await call(args, options, execution), () => {}),
    );
}

/** The result of a tool: of one that streams, its last output. It ends within the effect, so that its record says how it ended. */
async function drain(result: unknown, output: (value: unknown) => void): Promise<unknown> {
  if (!isAsyncIterable(result)) return result;
  let last: unknown;
  for await (const value of result) {
    last = value;
    output(value);
  }
  return last;
}

/** Outputs as the effect makes them. The effect goes on to its end if they are no longer read. */
function streamedOutputs(
  run: (output: (value: unknown) => void) => Promise<unknown>,
): AsyncIterable<unknown> {
  let read = true;
  return new ReadableStream({
    start(controller) {
      const output = (value: unknown) => {
        if (read) controller.enqueue(value);
      };
      const finish = (end: () => void) => () => {
        if (read) end();
      };
      run(output).then(
        finish(() => controller.close()),
        (error) => finish(() => controller.error(error))(),
      );
    },
    cancel() {
      read = false;
    },
  });
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof (value as { [Symbol.asyncIterator]?: unknown } | null | undefined)?.[Symbol.asyncIterator] ===
    'function'
  );
}

function isGeneratorFunction(execute: Execute): boolean {
  return Object.prototype.toString.call(execute) === '[object AsyncGeneratorFunction]';
}
