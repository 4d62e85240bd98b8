import { expect, test } from 'vitest';
import { TelemetryWindow } from '../../src/atlas-detection/telemetry-window.ts';
import { defaultSettings } from '../../src/platform/settings.ts';

const now = Date.parse('2026-11-20T10:00:00Z');
const telemetry = (subject: string, time = now) => ({
  time: new Date(time).toISOString(),
  kind: 'sensor.reading',
  subject,
  trusted: true,
  measures: {},
  attributes: {},
});

const added = (window: TelemetryWindow, tenantId: string, one: ReturnType<typeof telemetry>) => {
  const all = window.with(tenantId, one, now);
  window.keep(tenantId, one, all);
  return all;
};

test('telemetry that arrives late is put in its place', () => {
  const window = new TelemetryWindow(defaultSettings.atlas);
  added(window, 'acme', telemetry('s', now));
  const times = added(window, 'acme', telemetry('s', now - 5_000)).map(({ time }) => Date.parse(time) - now);
  expect(times).toEqual([-5_000, 0]);
});

test('a flood of telemetry or subjects does not grow without bound', () => {
  const settings = { ...defaultSettings.atlas, maxTelemetryPerSubject: 3, maxSubjects: 2 };
  const window = new TelemetryWindow(settings);
  for (let at = 0; at < 10; at++) added(window, 'acme', telemetry('a', now + at));
  expect(added(window, 'acme', telemetry('a', now + 10))).toHaveLength(3);
  added(window, 'acme', telemetry('b'));
  added(window, 'acme', telemetry('c'));
  expect(added(window, 'acme', telemetry('a'))).toHaveLength(1);
  expect(added(window, 'globex', telemetry('a'))).toHaveLength(1);
});
