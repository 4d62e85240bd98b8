import { expect, test } from 'vitest';
import { openTelemetryTrace, requireFrom } from '../../src/observe/correlation.ts';
import { testEmitter } from '../support/emitter.ts';
import { someEvent } from '../support/events.ts';

test('without OpenTelemetry there is no span', () => {
  const notInstalled = () => {
    throw new Error('MODULE_NOT_FOUND');
  };
  expect(openTelemetryTrace(notInstalled)()).toBeUndefined();
});

test('with it, the active span is found, unless it is none', () => {
  let context: { traceId: string; spanId: string } | undefined;
  const api = {
    trace: { getActiveSpan: () => (context === undefined ? undefined : { spanContext: () => context }) },
    isSpanContextValid: ({ traceId }: { traceId: string }) => !/^0+$/.test(traceId),
  };
  const active = openTelemetryTrace(() => api);
  expect(active()).toBeUndefined();
  context = { traceId: '0'.repeat(32), spanId: '0'.repeat(16) };
  expect(active()).toBeUndefined();
  context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  expect(active()).toEqual(context);
});

// In a bundle of the form CommonJS, `import.meta.url` is undefined: making an emitter threw.
test('without an address of its own, it is looked for where the process was started', () => {
  expect(requireFrom(undefined)('@opentelemetry/api')).toHaveProperty('trace');
  expect(openTelemetryTrace(requireFrom(undefined))).toBeTypeOf('function');
});

// It was thrown at the caller of emit(), in the middle of the business.
test('tracing that throws costs the span, not the event', async () => {
  const { emitter, transport } = testEmitter({
    activeTrace: () => {
      throw new Error('no context manager');
    },
  });
  expect(emitter.emit(someEvent()).state).toBe('buffered');
  await emitter.close();
  expect(transport.events[0]).not.toHaveProperty('trace_id');
});
