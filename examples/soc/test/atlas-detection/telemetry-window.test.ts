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

test('telemetry that arrives late is put in its place', () => {
  const window = new TelemetryWindow(defaultSettings.atlas);
  window.add('acme', telemetry('s', now), now);
  const times = window
    .add('acme', telemetry('s', now - 5_000), now)
    .map(({ time }) => Date.parse(time) - now);
  expect(times).toEqual([-5_000, 0]);
});

test('a flood of telemetry or subjects does not grow without bound', () => {
  const settings = { ...defaultSettings.atlas, maxTelemetryPerSubject: 3, maxSubjects: 2 };
  const window = new TelemetryWindow(settings);
  for (let at = 0; at < 10; at++) window.add('acme', telemetry('a', now + at), now);
  expect(window.add('acme', telemetry('a', now + 10), now)).toHaveLength(3);
  window.add('acme', telemetry('b'), now);
  window.add('acme', telemetry('c'), now);
  expect(window.add('acme', telemetry('a'), now)).toHaveLength(1);
  expect(window.add('globex', telemetry('a'), now)).toHaveLength(1);
});
