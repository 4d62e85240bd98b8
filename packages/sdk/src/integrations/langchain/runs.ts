import { uuidv7 } from '@tallystick/event';
import {
  type ActionOfRun,
  type AgentOptions,
  AgentRun,
  type OpenModelCall,
  outcomeOf,
  since,
  toolContext,
} from '../agent/agent-run.ts';
import { contentDigest } from '../agent/content-digest.ts';
import { text } from '../agent/model-call.ts';
import { providerName } from '../agent/provider-name.ts';
import { Workflow } from './workflow.ts';

/** What the library says when one of its runs begins. */
export interface RunStart {
  readonly runId: string;
  readonly parentRunId: string | undefined;
  readonly name: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** A run of the library: a chain, a node of a graph, a model call or a tool call. */
interface OpenRun {
  readonly agentRun: AgentRun;
  readonly isRoot: boolean;
  /** `audit_id` of the record that is the parent of what happens inside. */
  readonly recordId: string;
  readonly name: string;
  readonly startedAt: number;
  workflow?: Workflow;
  /** The node of a graph that this run is. */
  node?: string;
  modelCall?: OpenModelCall & { readonly provider: string | undefined; readonly model: string | undefined };
  tool?: { readonly callId: string | undefined; readonly parent: ActionOfRun };
}

/** A run ends with its call. Runs whose stream the application abandoned never do, so the oldest are forgotten. */
const maxOpenRuns = 10_000;

/** The runs of the library that have not ended, and their records. A run without a parent is a run of the agent. */
export class Runs {
  readonly #options: AgentOptions;
  readonly #open = new Map<string, OpenRun>();

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  chainStarted(start: RunStart): void {
    const parent = this.#parentOf(start);
    const node = nodeOf(start);
    if (parent === undefined || node === undefined) {
      this.#begin(start, parent);
      return;
    }
    parent.workflow ??= new Workflow();
    const before = parent.workflow.enter(node, Number(start.metadata?.langgraph_step));
    const recordId = this.#stateChanged(parent, before, node);
    this.#begin(start, parent, recordId).node = node;
  }

  chainEnded(runId: string, how: { readonly failed: boolean; readonly error?: unknown }): void {
    const run = this.#end(runId);
    if (run === undefined) return;
    if (run.workflow !== undefined && !how.failed) this.#stateChanged(run, run.workflow.leave(), '__end__');
    if (run.node !== undefined && how.failed) {
      run.agentRun.record({
        eventType: 'agent.state.changed',
        parentEventId: run.recordId,
        outcome: { ...outcomeOf(how), state_before: text(run.node), duration_ms: since(run.startedAt) },
      });
    }
    if (run.isRoot) run.agentRun.end(how);
  }

  modelStarted(start: RunStart, prompt: unknown, requestedModel: unknown): void {
    const run = this.#begin(start, this.#parentOf(start));
    const { ls_provider, ls_model_name } = start.metadata ?? {};
    const provider = text(ls_provider);
    run.modelCall = {
      ...run.agentRun.openModelCall(prompt, run.recordId),
      provider: provider === undefined ? undefined : providerName(provider),
      model: text(ls_model_name) ?? text(requestedModel),
    };
  }

  modelEnded(runId: string, answer: ModelAnswer | { readonly error: unknown }): void {
    const run = this.#end(runId);
    if (run?.modelCall === undefined) return;
    const { modelCall, agentRun } = run;
    const request = { provider: modelCall.provider, requestModel: modelCall.model };
    if ('error' in answer) agentRun.closeModelCall(modelCall, { ...request, ...answer, failed: true });
    else {
      for (const id of answer.toolCallIds) agentRun.toolCallFrom(id, modelCall.auditId);
      const { content, toolCallIds, ...known } = answer;
      agentRun.closeModelCall(modelCall, {
        ...request,
        ...known,
        responseDigest: agentRun.digest(content),
        failed: false,
      });
    }
    if (run.isRoot) agentRun.end({ failed: 'error' in answer, ...answer });
  }

  toolStarted(start: RunStart, callId: string | undefined): void {
    const run = this.#begin(start, this.#parentOf(start));
    run.tool = { callId, parent: run.agentRun.actionFor(run.name, callId, run.recordId) };
  }

  /** The action of a tool call that a gate takes over: the gate writes its records. */
  gatedTool(runId: string): ActionOfRun | undefined {
    const run = this.#open.get(runId);
    const action = run?.tool?.parent;
    delete run?.tool;
    return action;
  }

  toolEnded(
    runId: string,
    how: { readonly failed: boolean; readonly error?: unknown },
    output?: unknown,
  ): void {
    const run = this.#end(runId);
    if (run === undefined) return;
    if (run.tool !== undefined) {
      const digest = how.failed ? undefined : contentDigest(output);
      run.agentRun.record({
        eventType: 'agent.tool.called',
        parentEventId: run.tool.parent.parentEventId,
        context: { ...toolContext(run.name, run.tool.callId), action: text(run.name) },
        outcome: {
          ...outcomeOf(how),
          duration_ms: since(run.startedAt),
          ...(digest !== undefined && { result_digest: digest }),
        },
      });
    }
    if (run.isRoot) run.agentRun.end(how);
  }

  #parentOf({ parentRunId }: RunStart): OpenRun | undefined {
    return parentRunId === undefined ? undefined : this.#open.get(parentRunId);
  }

  #begin({ runId, name = 'chain' }: RunStart, parent: OpenRun | undefined, recordId?: string): OpenRun {
    const workflow = { 'gen_ai.workflow.name': text(name) };
    const agentRun =
      parent?.agentRun ?? new AgentRun({ ...this.#options, correlationId: runId || uuidv7() }, workflow);
    const run: OpenRun = {
      agentRun,
      isRoot: parent === undefined,
      recordId: recordId ?? parent?.recordId ?? agentRun.startedId,
      name,
      startedAt: performance.now(),
    };
    if (this.#open.size >= maxOpenRuns) this.#open.delete(this.#open.keys().next().value!);
    this.#open.set(runId, run);
    return run;
  }

  #end(runId: string): OpenRun | undefined {
    const run = this.#open.get(runId);
    this.#open.delete(runId);
    return run;
  }

  #stateChanged(graph: OpenRun, before: string, after: string): string {
    return graph.agentRun.record({
      eventType: 'agent.state.changed',
      parentEventId: graph.recordId,
      context: { 'gen_ai.workflow.name': text(graph.name) },
      outcome: { outcomeStatus: 'success', state_before: text(before), state_after: text(after) },
    });
  }
}

/** What a model answered, as far as it is recorded. */
export interface ModelAnswer {
  readonly content: unknown;
  readonly toolCallIds: readonly string[];
  readonly responseModel: string | undefined;
  readonly responseId: string | undefined;
  readonly finishReasons: readonly string[] | undefined;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly cacheReadTokens: number | undefined;
  readonly cacheWriteTokens: number | undefined;
}

/** The node of LangGraph that a run is. Runs inside a node have its metadata too, but not the tag of its step. */
function nodeOf({ name, tags = [], metadata = {} }: RunStart): string | undefined {
  const { langgraph_node: node } = metadata;
  const isStep = tags.some((tag) => tag.startsWith('graph:step:')) && !tags.includes('langsmith:hidden');
  return isStep && typeof node === 'string' && node === name ? node : undefined;
}
