/**
 * A span processor for OpenTelemetry: spans of generative AI become audit events of the taxonomy `agent`. Names and meanings of
 * attributes are those of the semantic conventions for generative AI, version 1.41.0.
 *
 * @example
 * new TracerProvider({ spanProcessors: [auditSpans({ audit, tenant: 'acme' })] });
 */
import type { AnyEventInput, AuditPrincipal } from '../event/input.ts';
import { fittingId, fittingPrincipal } from './fitting-id.ts';
import { reportTo } from './report.ts';

/** Seconds and nanoseconds. */
type HrTime = readonly [seconds: number, nanoseconds: number];

/** What is used of a span. Declared here, so that the package with OpenTelemetry's types need not be installed. */
export interface AuditedSpan {
  readonly name: string;
  readonly attributes: { readonly [name: string]: unknown };
  readonly status: { readonly code: number };
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly duration: HrTime;
  readonly parentSpanContext?: { readonly spanId: string } | undefined;
  spanContext(): { readonly traceId: string; readonly spanId: string };
}

/** What is used of an emitter. */
export interface SpanEmitter {
  emit(event: never): unknown;
  flush(): Promise<unknown>;
}

/** Options of {@link auditSpans}. */
export interface SpanAuditOptions {
  /** The emitter, with any taxonomy that has the types of `agent`. The processor flushes it and does not close it. */
  readonly audit: SpanEmitter;
  /** The tenant of a span. @defaultValue the emitter's tenant */
  readonly tenant?: string | ((span: AuditedSpan) => string | undefined) | undefined;
  /** Who acts. @defaultValue the agent with the id in `gen_ai.agent.id`, else its name, else `unknown` */
  readonly actor?: ((span: AuditedSpan) => AuditPrincipal | undefined) | undefined;
  /** For whom the actor acts, the nearest first. */
  readonly onBehalfOf?: ((span: AuditedSpan) => readonly AuditPrincipal[] | undefined) | undefined;
  /**
   * Whether the arguments of tool calls are recorded, if the instrumentation puts them into spans (`gen_ai.tool.call.arguments`).
   * Messages, instructions and results are never recorded.
   *
   * @defaultValue false
   */
  readonly toolArguments?: boolean | undefined;
  /** Called if an event can't be made. The span is not affected. @defaultValue a process warning, once */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** A span processor. Its methods never throw and never reject. */
export interface AuditSpanProcessor {
  onStart(span: AuditedSpan, parentContext: unknown): void;
  onEnd(span: AuditedSpan): void;
  /** Delivers the events of the spans that have ended. */
  forceFlush(): Promise<void>;
  /** The same; spans that end later have no events. */
  shutdown(): Promise<void>;
}

/** Event types by `gen_ai.operation.name`. */
const typesOfOperations: { readonly [operation: string]: string } = {
  chat: 'agent.model.called',
  embeddings: 'agent.model.called',
  generate_content: 'agent.model.called',
  text_completion: 'agent.model.called',
  execute_tool: 'agent.tool.called',
  invoke_agent: 'agent.run.completed',
};

/** The attributes that become members of the event's context, with the type that the taxonomy has for them. */
const recorded: { readonly [attribute: string]: (value: unknown) => boolean } = {
  'gen_ai.operation.name': isText,
  'gen_ai.provider.name': isText,
  'gen_ai.conversation.id': isText,
  'gen_ai.request.model': isText,
  'gen_ai.response.model': isText,
  'gen_ai.response.id': isText,
  'gen_ai.response.finish_reasons': (value) => Array.isArray(value) && value.every(isText),
  'gen_ai.usage.input_tokens': isCount,
  'gen_ai.usage.output_tokens': isCount,
  'gen_ai.tool.name': isText,
  'gen_ai.tool.call.id': isText,
  'gen_ai.tool.type': isText,
};

/** Longest text of an attribute that is recorded. Models choose some of them. */
const maxText = 512;

/** The code of the status `ERROR`. */
const errorStatus = 2;

/**
 * Creates the processor. A span that ends emits one event: `agent.model.called`, `agent.tool.called` or `agent.run.completed`. A span
 * that begins with the operation `invoke_agent` emits `agent.run.started`. Other spans emit nothing. Spans that the sampler drops do
 * not reach any processor.
 */
export function auditSpans(options: SpanAuditOptions): AuditSpanProcessor {
  let ended = false;
  const emit = (span: AuditedSpan, isEnd: boolean) => {
    if (ended) return;
    try {
      const eventType = typeOf(span, isEnd);
      if (eventType === undefined) return;
      const event = eventOf(span, eventType, isEnd, options);
      const { state } = Object(options.audit.emit(event as never)) as { readonly state?: unknown };
      // A model chooses the arguments of a tool. An event that can't hold them says so.
      if (state === 'refused' && event.context?.arguments !== undefined) {
        const { arguments: _, ...context } = event.context;
        options.audit.emit({ ...event, context: { ...context, incomplete: true } } as never);
      }
    } catch (error) {
      reportTo(options.onError, error);
    }
  };
  const flush = async () => {
    try {
      await options.audit.flush();
    } catch (error) {
      reportTo(options.onError, error);
    }
  };
  return {
    onStart: (span) => emit(span, false),
    onEnd: (span) => emit(span, true),
    forceFlush: flush,
    shutdown: async () => {
      ended = true;
      await flush();
    },
  };
}

/** The type of the event that a span emits when it begins or ends, if any. */
function typeOf(span: AuditedSpan, isEnd: boolean): string | undefined {
  const operation = operationOf(span);
  if (operation === undefined) return undefined;
  if (isEnd) return typesOfOperations[operation];
  return operation === 'invoke_agent' ? 'agent.run.started' : undefined;
}

function operationOf(span: AuditedSpan): string | undefined {
  const operation = span?.attributes?.['gen_ai.operation.name'];
  return isText(operation) && Object.hasOwn(typesOfOperations, operation) ? operation : undefined;
}

function eventOf(
  span: AuditedSpan,
  eventType: string,
  isEnd: boolean,
  options: SpanAuditOptions,
): AnyEventInput {
  /** What the application's function returns. If it throws, the event lacks this part. */
  const call = <T>(read: (() => T) | undefined): T | undefined => {
    try {
      return read?.();
    } catch (error) {
      reportTo(options.onError, error);
      return undefined;
    }
  };
  const { attributes } = span;
  const { traceId, spanId } = span.spanContext();
  const { tenant, actor, onBehalfOf } = options;
  return {
    tenantId: typeof tenant === 'function' ? call(() => tenant(span)) : tenant,
    eventType,
    ...fittingPrincipal(call(() => actor?.(span)) ?? agentOf(attributes)),
    onBehalfOf: call(() => onBehalfOf?.(span)?.map(fittingPrincipal)),
    ...targetOf(eventType, attributes),
    timestamp: millisecondsOf(isEnd ? span.endTime : span.startTime),
    traceId,
    spanId,
    context: contextOf(attributes, options),
    ...(isEnd && { outcome: outcomeOf(span) }),
    ...(span.parentSpanContext !== undefined && {
      metadata: { parent_span_id: span.parentSpanContext.spanId },
    }),
  };
}

function agentOf(attributes: AuditedSpan['attributes']): AuditPrincipal {
  const id = [attributes['gen_ai.agent.id'], attributes['gen_ai.agent.name']].find(isText);
  return { actorType: 'agent', actorId: id ?? 'unknown' };
}

function targetOf(
  eventType: string,
  attributes: AuditedSpan['attributes'],
): { targetType?: string; targetId?: string } {
  const [targetType, id] =
    eventType === 'agent.tool.called'
      ? ['tool', attributes['gen_ai.tool.name']]
      : eventType === 'agent.model.called'
        ? ['model', attributes['gen_ai.request.model'] ?? attributes['gen_ai.response.model']]
        : ['agent', agentOf(attributes).actorId];
  return isText(id) ? { targetType, targetId: fittingId(id) } : {};
}

function contextOf(attributes: AuditedSpan['attributes'], { toolArguments }: SpanAuditOptions) {
  const context: Record<string, unknown> = {};
  for (const [name, isValid] of Object.entries(recorded)) {
    // A value of another type would make an emitter with the taxonomy refuse the event.
    const value = attributes[name];
    if (isValid(value)) context[name] = isText(value) ? value.slice(0, maxText) : value;
  }
  const agent = {
    uid: attributes['gen_ai.agent.id'],
    name: attributes['gen_ai.agent.name'],
    version: attributes['gen_ai.agent.version'],
  };
  const known = Object.entries(agent).flatMap(([name, value]) =>
    isText(value) ? [[name, value.slice(0, maxText)] as const] : [],
  );
  if (known.length > 0) context.ai_agent = Object.fromEntries(known);
  const tool = attributes['gen_ai.tool.name'];
  if (isText(tool)) context.action = tool.slice(0, maxText);
  if (toolArguments === true) context.arguments = argumentsOf(attributes['gen_ai.tool.call.arguments']);
  return context;
}

/** Attributes hold no objects in most SDKs, so arguments are JSON text. */
function argumentsOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** The class of an error, and never its message: messages often quote data. */
function outcomeOf({ status, attributes, duration }: AuditedSpan): NonNullable<AnyEventInput['outcome']> {
  const errorType = attributes['error.type'];
  const failed = status.code === errorStatus || isText(errorType);
  return {
    outcome_status: failed ? 'failure' : 'success',
    ...(failed && isText(errorType) && { errorCode: errorType.slice(0, 256) }),
    duration_ms: Math.max(0, duration[0] * 1e3 + Math.round(duration[1] / 1e3) / 1e3),
  };
}

function millisecondsOf([seconds, nanoseconds]: HrTime): number {
  return Math.floor(seconds * 1e3 + nanoseconds / 1e6);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}
