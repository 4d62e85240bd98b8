import { expect, test } from 'vitest';
import { openTelemetryTrace } from '../../src/observe/correlation.ts';

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
