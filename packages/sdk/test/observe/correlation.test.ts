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

test('with OpenTelemetry, the active span is found if it is valid', () => {
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

// In a CommonJS bundle, `import.meta.url` is undefined, and creating an emitter threw.
test('without a module URL, packages are resolved from the working directory', () => {
  expect(requireFrom(undefined)('@opentelemetry/api')).toHaveProperty('trace');
  expect(openTelemetryTrace(requireFrom(undefined))).toBeTypeOf('function');
});

// The tracing library's error was thrown to the caller of emit().
test('if tracing throws, the event is emitted without a span', async () => {
  const { emitter, transport } = testEmitter({
    activeTrace: () => {
      throw new Error('no context manager');
    },
  });
  expect(emitter.emit(someEvent()).state).toBe('buffered');
  await emitter.close();
  expect(transport.events[0]).not.toHaveProperty('trace_id');
});
