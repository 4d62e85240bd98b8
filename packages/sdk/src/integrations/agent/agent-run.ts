/** One run of an agent: who acts, for whom, and the ids by which its records are found and joined. */
import { type OutcomeStatus, uuidv7 } from '@tallystick/event';
import type { AuditEventInput, AuditPrincipal } from '../../event/input.ts';
import type { AnyEmitter, GatedAction } from '../../gate/options.ts';
import { reportTo } from '../report.ts';
import { contentDigest } from './content-digest.ts';
import { errorName, type ModelCall, modelContext, text } from './model-call.ts';

/** Who acts, and where its records go. */
export interface AgentOptions {
  /** Emits the records. */
  readonly audit: Pick<AnyEmitter, 'emit'>;
  /** @defaultValue the emitter's tenant */
  readonly tenantId?: string | undefined;
  /** Who acts, such as `{ actorType: 'agent', actorId: 'refund-bot' }`. */
  readonly actor: AuditPrincipal;
  /** The delegation chain: whom the agent acts for, the nearest first. */
  readonly onBehalfOf?: readonly AuditPrincipal[] | undefined;
  /** `ai_agent` of every record, with the names of OCSF. @defaultValue `uid` is the actor's id */
  readonly agent?: Readonly<Record<'uid' | 'name' | 'version' | 'type', string | undefined>> | undefined;
  /** `gen_ai.conversation.id` of every record. @defaultValue none */
  readonly conversationId?: string | undefined;
  /** `audit_id` of the event that caused the run. @defaultValue none */
  readonly parentEventId?: string | undefined;
  /**
   * Whether records of model calls have digests of prompt and answer. A digest of a short text can be guessed: whoever reads the
   * record can compute the digest of each likely text.
   *
   * @defaultValue true
   */
  readonly digests?: boolean | undefined;
  /** Called if an event can't be made. The run is not affected. @defaultValue a process warning, once */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Options of {@link startAgentRun}. */
export interface AgentRunOptions extends AgentOptions {
  /** Common to all records of the run. @defaultValue a new UUID */
  readonly correlationId?: string | undefined;
}

/** An event of a run, without what all of its events have in common. */
export interface RunEvent {
  readonly auditId?: string | undefined;
  readonly eventType: `agent.${string}`;
  readonly parentEventId: string | undefined;
  readonly context?: Record<string, unknown> | undefined;
  readonly target?: { readonly type: string; readonly id: string } | undefined;
  readonly outcome: OutcomeStatus | Record<string, unknown>;
}

/** A model call in progress. */
export interface OpenModelCall {
  /** `audit_id` of the record, which is written when the call ends. */
  readonly auditId: string;
  readonly startedAt: number;
  readonly promptDigest: string | undefined;
  readonly parentEventId: string | undefined;
}

/** The members of a gated action that come from its run. */
export type ActionOfRun = Pick<
  GatedAction,
  'tenantId' | 'actorType' | 'actorId' | 'onBehalfOf' | 'correlationId' | 'parentEventId' | 'context'
>;

/** A tool call ends within its run, so older ones are forgotten first. */
const maxToolCalls = 10_000;

/** A run of an agent. {@link startAgentRun} makes one. */
export class AgentRun {
  readonly correlationId: string;
  /** `audit_id` of `agent.run.started`. */
  readonly startedId: string;
  readonly #options: AgentOptions;
  readonly #startedAt = performance.now();
  /** Id of a tool call → `audit_id` of the model call that asked for it. */
  readonly #toolCalls = new Map<string, string>();
  #ended = false;

  constructor(options: AgentRunOptions, context: Record<string, unknown> = {}) {
    this.#options = options;
    this.correlationId = options.correlationId ?? uuidv7();
    this.startedId = this.record({
      eventType: 'agent.run.started',
      parentEventId: options.parentEventId,
      context,
      outcome: 'pending',
    });
  }

  /** Records how the run ended. Further calls do nothing. */
  end(how: { readonly failed: boolean; readonly error?: unknown } = { failed: false }): void {
    if (this.#ended) return;
    this.#ended = true;
    this.record({
      eventType: 'agent.run.completed',
      parentEventId: this.startedId,
      outcome: { ...outcomeOf(how), duration_ms: since(this.#startedAt) },
    });
  }

  /** Emits an event of this run. Never throws. @returns its `audit_id` */
  record({ auditId = uuidv7(), target, context, ...event }: RunEvent): string {
    const { audit, tenantId, actor, onBehalfOf, onError } = this.#options;
    try {
      audit.emit({
        ...event,
        auditId,
        tenantId: tenantId as string,
        ...actor,
        onBehalfOf: onBehalfOf?.length === 0 ? undefined : onBehalfOf,
        eventCategory: 'agent',
        targetType: target?.type,
        targetId: target?.id,
        correlationId: this.correlationId,
        context: { ...this.#context(), ...context },
      } as AuditEventInput);
    } catch (error) {
      reportTo(onError, error);
    }
    return auditId;
  }

  /** Reports what is wrong with a record, or with what it should be made of. Never throws. */
  fault(error: unknown): void {
    reportTo(this.#options.onError, error);
  }

  /** A model call begins. Its record is written when it ends, but tool calls can name it before. */
  openModelCall(prompt: unknown, parentEventId: string = this.startedId): OpenModelCall {
    return {
      auditId: uuidv7(),
      startedAt: performance.now(),
      promptDigest: this.digest(prompt),
      parentEventId,
    };
  }

  /** Records how a model call ended. */
  closeModelCall(open: OpenModelCall, call: Omit<ModelCall, 'durationMs' | 'promptDigest'>): void {
    const durationMs = since(open.startedAt);
    this.record({
      auditId: open.auditId,
      eventType: 'agent.model.called',
      parentEventId: open.parentEventId,
      context: modelContext({ ...call, durationMs, promptDigest: open.promptDigest }),
      outcome: { ...outcomeOf(call), duration_ms: durationMs },
    });
  }

  /** A model asked for a tool call. */
  toolCallFrom(toolCallId: string, modelCallId: string): void {
    if (this.#toolCalls.size >= maxToolCalls) this.#toolCalls.delete(this.#toolCalls.keys().next().value!);
    this.#toolCalls.set(toolCallId, modelCallId);
  }

  /** The members of a gated action for a tool call of this run. Its parent is the model call that asked for it. */
  actionFor(
    toolName: string,
    toolCallId: string | undefined,
    parentEventId: string = this.startedId,
  ): ActionOfRun {
    const { tenantId, actor, onBehalfOf } = this.#options;
    return {
      ...(tenantId !== undefined && { tenantId }),
      actorType: actor.actorType,
      actorId: actor.actorId,
      onBehalfOf,
      correlationId: this.correlationId,
      parentEventId:
        (toolCallId === undefined ? undefined : this.#toolCalls.get(toolCallId)) ?? parentEventId,
      context: { ...this.#context(), ...toolContext(toolName, toolCallId) },
    };
  }

  /** Digest of a prompt or an answer, unless the options say that there are none. */
  digest(content: unknown): string | undefined {
    return this.#options.digests === false ? undefined : contentDigest(content);
  }

  #context(): Record<string, unknown> {
    const { actor, agent, conversationId } = this.#options;
    return {
      ai_agent: { uid: actor.actorId, ...agent },
      ...(conversationId !== undefined && { 'gen_ai.conversation.id': conversationId }),
    };
  }
}

/**
 * Starts a run: records `agent.run.started`, and joins the records of its model calls and tool calls. A run belongs to one request
 * or job. Call {@link AgentRun.end} when it is over.
 */
export function startAgentRun(options: AgentRunOptions): AgentRun {
  return new AgentRun(options);
}

/** The members of a tool call's `context`. */
export function toolContext(toolName: string, toolCallId: string | undefined): Record<string, unknown> {
  const id = text(toolCallId);
  return {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': text(toolName),
    ...(id !== undefined && { 'gen_ai.tool.call.id': id }),
  };
}

/** The outcome that something ended with. */
export function outcomeOf({ failed, error }: { readonly failed: boolean; readonly error?: unknown }) {
  return failed
    ? { outcomeStatus: 'failure' as const, errorCode: errorName(error) }
    : { outcomeStatus: 'success' as const };
}

/** Milliseconds since a time of `performance.now()`, to the microsecond. */
export function since(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 1_000) / 1_000;
}
