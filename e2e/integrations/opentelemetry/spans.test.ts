import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { agent, createAuditEmitter } from '@tallystick/sdk';
import { memoryTransport } from '@tallystick/sdk/memory';
import { auditSpans, type SpanAuditOptions } from '@tallystick/sdk/opentelemetry';
import { expect, test } from 'vitest';

/** Spans of generative AI, made with OpenTelemetry's own SDK, become events of an emitter that has the taxonomy `agent`. */

function open(options: Partial<SpanAuditOptions> = {}) {
  const transport = memoryTransport();
  const emitter = createAuditEmitter({
    service: 'assistant',
    transport,
    taxonomy: agent,
    flushOnExit: false,
  });
  const errors: unknown[] = [];
  const processor = auditSpans({
    audit: emitter,
    tenant: 'acme',
    onError: (error) => errors.push(error),
    ...options,
  });
  const provider = new TracerProvider({ spanProcessors: [processor] });
  return { transport, emitter, errors, provider, tracer: provider.getTracer('test') };
}

test('a run of an agent with a model call and a tool call tells its story', async () => {
  const { transport, provider, tracer, errors } = open();
  const run = tracer.startSpan('invoke_agent helper', {
    attributes: {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.id': 'a-1',
      'gen_ai.agent.name': 'helper',
    },
  });
  const inRun = trace.setSpan(context.active(), run);
  const model = tracer.startSpan('chat m-1', {}, inRun);
  model.setAttributes({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'example',
    'gen_ai.request.model': 'm-1',
    'gen_ai.usage.input_tokens': 12,
    'gen_ai.usage.output_tokens': 3,
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.agent.id': 'a-1',
    'gen_ai.input.messages': '[{"role":"user","content":"my secret question"}]',
  });
  model.end();
  const tool = tracer.startSpan('execute_tool refund', {}, inRun);
  tool.setAttributes({
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'refund',
    'gen_ai.tool.call.id': 'c-1',
    'gen_ai.tool.call.arguments': '{"order":17}',
    'error.type': 'TimeoutError',
  });
  tool.setStatus({ code: SpanStatusCode.ERROR, message: 'order 17 of eve' });
  tool.end();
  tracer.startSpan('GET /health').end();
  run.end();
  await provider.forceFlush();
  expect(errors).toEqual([]);
  const { traceId, spanId } = run.spanContext();
  expect(transport.events).toMatchObject([
    {
      event_type: 'agent.run.started',
      actor_type: 'agent',
      actor_id: 'a-1',
      target_id: 'a-1',
      span_id: spanId,
    },
    {
      event_type: 'agent.model.called',
      event_category: 'agent',
      tenant_id: 'acme',
      actor_id: 'a-1',
      target_type: 'model',
      target_id: 'm-1',
      trace_id: traceId,
      correlation_id: traceId,
      span_id: model.spanContext().spanId,
      metadata: { parent_span_id: spanId },
      context: {
        'gen_ai.usage.input_tokens': 12,
        'gen_ai.response.finish_reasons': ['stop'],
        ai_agent: { uid: 'a-1' },
      },
      outcome: { outcome_status: 'success', duration_ms: expect.any(Number) },
    },
    {
      event_type: 'agent.tool.called',
      target_type: 'tool',
      target_id: 'refund',
      context: { action: 'refund', 'gen_ai.tool.call.id': 'c-1' },
      outcome: { outcome_status: 'failure', error_code: 'TimeoutError' },
    },
    { event_type: 'agent.run.completed', outcome: { outcome_status: 'success' } },
  ]);
  const written = JSON.stringify(transport.events);
  for (const content of ['secret question', 'order 17 of eve', '"order":17'])
    expect(written).not.toContain(content);
});

test('arguments of tools are recorded on request, and secrets in them are masked', async () => {
  const { transport, provider, tracer } = open({ toolArguments: true });
  const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'login' };
  for (const text of ['{"user":"eve","password":"hunter2"}', 'not JSON']) {
    tracer.startSpan('t', { attributes: { ...attributes, 'gen_ai.tool.call.arguments': text } }).end();
  }
  await provider.forceFlush();
  expect(transport.events.map((event) => event.context?.arguments)).toEqual([
    { user: 'eve', password: '[REDACTED]' },
    'not JSON',
  ]);
});

test('nothing is thrown into the tracer: functions that throw, a missing tenant, attributes of other types', async () => {
  const fail = () => {
    throw new Error('broken');
  };
  const { transport, provider, tracer, errors } = open({ actor: fail, onBehalfOf: fail });
  const attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.usage.input_tokens': 'many',
    'gen_ai.request.model': 7,
  };
  tracer.startSpan('chat', { attributes }).end();
  await provider.forceFlush();
  expect(transport.events).toMatchObject([
    { actor_id: 'unknown', context: { 'gen_ai.operation.name': 'chat' } },
  ]);
  expect(errors).toHaveLength(2);

  const without = open({ tenant: fail });
  without.tracer.startSpan('chat', { attributes }).end();
  await without.provider.forceFlush();
  expect(without.errors).toHaveLength(2);
  expect(without.transport.events).toEqual([]);
});

test('an operation that is no name of the conventions emits nothing, also one of Object.prototype', async () => {
  const { transport, provider, tracer } = open();
  for (const name of ['create_agent', 'toString', '__proto__'])
    tracer.startSpan('x', { attributes: { 'gen_ai.operation.name': name } }).end();
  await provider.forceFlush();
  expect(transport.events).toEqual([]);
});

test('shutdown delivers, and leaves the emitter to the application', async () => {
  const { transport, emitter, provider, tracer } = open();
  const late = tracer.startSpan('chat', { attributes: { 'gen_ai.operation.name': 'chat' } });
  tracer.startSpan('chat', { attributes: { 'gen_ai.operation.name': 'chat' } }).end();
  await provider.shutdown();
  expect(transport.events).toHaveLength(1);
  late.end();
  expect(transport.closed).toBe(false);
  await emitter.close();
  expect(transport.events).toHaveLength(1);
});

// A model names the tool and writes the arguments. It must not be able to leave no trace.
test('names and arguments that an event can not hold do not suppress it', async () => {
  const { transport, provider, tracer, errors } = open({ toolArguments: true });
  const tool = tracer.startSpan('execute_tool');
  const name = 't'.repeat(300_000);
  tool.setAttributes({
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': name,
    'gen_ai.agent.id': name,
    'gen_ai.tool.call.arguments': JSON.stringify({ text: name }),
  });
  tool.end();
  await provider.forceFlush();
  expect(errors).toEqual([]);
  const cut = `${name.slice(0, 511)}…`;
  expect(transport.events).toMatchObject([
    { event_type: 'agent.tool.called', actor_id: cut, target_id: cut, context: { incomplete: true } },
  ]);
});
