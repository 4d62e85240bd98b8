import { expect, test } from 'vitest';
import type { Topic } from '../src/platform/topics.ts';
import { playMorning, wholePlatform } from './whole-platform.ts';

const topics: readonly Topic[] = [
  'alerts.raw',
  'alerts.normalized',
  'investigations',
  'actions.pending',
  'actions.settled',
  'telemetry.raw',
  'atlas.detections',
  'ctem.normalized',
  'playbooks.draft',
  'ctem.raw.wiz',
  'ctem.raw.snyk',
  'ctem.raw.garak',
  'ctem.raw.art',
];

/** Everything that the platform put out in the morning, as JSON texts. */
async function outputs(audit: boolean) {
  const platform = wholePlatform({ audit });
  const published = await Promise.all(topics.map((topic) => platform.collect(topic)));
  await playMorning(platform);
  // Gates wait for their emitter, so random ids are drawn in another order. They say nothing about what was decided.
  const masked = (value: unknown) =>
    JSON.stringify(value)
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g, '(id)')
      .replace(/"(traceId|spanId)":"[0-9a-f]+"/g, '"$1":"(id)"');
  const sorted = (all: readonly unknown[]) => all.map(masked).toSorted();
  return {
    recorded: platform.trail.events.length,
    messages: Object.fromEntries(topics.map((topic, at) => [topic, sorted(published[at]!)])),
    deadLetters: sorted(platform.topics.deadLetters),
    changes: sorted(platform.plant.changes),
    prompts: sorted(platform.artifacts.artifacts.map(({ tenantId, type, text }) => [tenantId, type, text])),
    patterns: sorted(await platform.patterns.list('acme')),
  };
}

test('without an emitter the platform decides, publishes and does the same, byte for byte', {
  timeout: 120_000,
}, async () => {
  const [withEmitter, without] = [await outputs(true), await outputs(false)];
  expect(withEmitter.recorded).toBeGreaterThan(1_000);
  expect(without.recorded).toBe(0);
  expect({ ...without, recorded: 0 }).toEqual({ ...withEmitter, recorded: 0 });
  expect(without.messages.investigations!.length).toBeGreaterThan(100);
});
