// With the real API and SDK of OpenTelemetry.
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuditEmitter } from '../../src/index.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import { someEvent } from '../support/events.ts';

const tracer = trace.getTracer('test');

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider());
});
afterAll(() => {
  trace.disable();
  context.disable();
});

/** An emitter that finds the active span by itself. */
function instrumented() {
  const transport = memoryTransport();
  const emitter = createAuditEmitter({ service: 'checkout', transport, flushOnExit: false });
  return { emitter, transport };
}

test('an event carries the span under which it is emitted, also after an await', async () => {
  const { emitter, transport } = instrumented();
  const ids: string[][] = [];
  const request = async (order: string) =>
    tracer.startActiveSpan(order, async (span) => {
      await new Promise((resolve) => setImmediate(resolve));
      emitter.emit(someEvent({ targetId: order }));
      const { traceId, spanId } = span.spanContext();
      ids.push([order, traceId, spanId]);
      span.end();
    });
  await Promise.all(['o-1', 'o-2', 'o-3'].map(request));
  await emitter.close();
  expect(transport.events.map((event) => [event.target_id, event.trace_id, event.span_id])).toEqual(ids);
  expect(new Set(ids.map(([, traceId]) => traceId)).size).toBe(3);
  for (const event of transport.events) expect(event.correlation_id).toBe(event.trace_id);
});

test("without a span the event has none, and the caller's own ids take precedence", async () => {
  const { emitter, transport } = instrumented();
  emitter.emit(someEvent());
  tracer.startActiveSpan('request', (span) => {
    emitter.emit(someEvent({ correlationId: 'order-9' }));
    emitter.emit(someEvent({ traceId: 'f'.repeat(32) }));
    span.end();
  });
  await emitter.close();
  const [none, correlated, traced] = transport.events;
  expect(none).not.toHaveProperty('trace_id');
  expect(correlated).toMatchObject({
    correlation_id: 'order-9',
    trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(traced).toMatchObject({ correlation_id: 'f'.repeat(32), trace_id: 'f'.repeat(32) });
  expect(traced).not.toHaveProperty('span_id');
});
