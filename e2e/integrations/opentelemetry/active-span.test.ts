import { setImmediate } from 'node:timers/promises';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { type AuditEventInput, createAuditEmitter } from '@tallystick/sdk';
import { memoryTransport } from '@tallystick/sdk/memory';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** The emitter finds the active span of OpenTelemetry, with its real API and SDK, set up as an application sets them up. */

const refund: AuditEventInput = {
  tenantId: 'acme',
  eventType: 'order.refunded',
  actorType: 'user',
  actorId: 'u-17',
  outcome: 'success',
};

const tracer = trace.getTracer('test');

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider());
});
afterAll(() => {
  trace.disable();
  context.disable();
});

/** An emitter without a configured trace source: it looks for OpenTelemetry by itself. */
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
      await setImmediate();
      emitter.emit({ ...refund, targetType: 'order', targetId: order });
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

test('an event without an active span has no trace, and ids that the caller gives take precedence', async () => {
  const { emitter, transport } = instrumented();
  emitter.emit(refund);
  tracer.startActiveSpan('request', (span) => {
    emitter.emit({ ...refund, correlationId: 'order-9' });
    emitter.emit({ ...refund, traceId: 'f'.repeat(32) });
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
