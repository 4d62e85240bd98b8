import { soc as socTaxonomy } from '@tallystick/sdk';
import { expect, test } from 'vitest';
import { playMorning, wholePlatform } from './whole-platform.ts';

/** These are recorded by the audit service: by its approval desk, and at the beginning of a chain. */
const ofTheService = new Set(
  socTaxonomy.types.filter((type) => type.startsWith('approval.') || type === 'system.genesis'),
);

test('every event type of the platform is emitted by something that really happens', async () => {
  const platform = wholePlatform();
  await playMorning(platform);
  const counts: Record<string, number> = {};
  for (const { event_type } of platform.trail.events) counts[event_type] = (counts[event_type] ?? 0) + 1;
  const missing = socTaxonomy.types.filter((type) => counts[type] === undefined && !ofTheService.has(type));
  expect(missing).toEqual([]);
});
