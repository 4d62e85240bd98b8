import { expect, test } from 'vitest';
import { followerSettings } from '../../../src/commands/run/serve-followers.ts';

test('options come before the environment, and what neither names has its default', () => {
  const env = { TALLYSTICK_INTENT_TIMEOUT: '2d', TALLYSTICK_INTENT_GRACE: '5m', TALLYSTICK_FOLLOWER_LAG: '' };
  expect(followerSettings({ intentGrace: 1_000 }, { env })).toEqual({
    openIntents: { timeoutMs: 2 * 86_400_000, graceMs: 1_000, silentMs: undefined },
    maxFollowerLagMs: undefined,
  });
});

test('an environment variable that is not an age is refused by its name', () => {
  expect(() => followerSettings({}, { env: { TALLYSTICK_PRODUCER_SILENCE: 'long' } })).toThrow(
    /TALLYSTICK_PRODUCER_SILENCE must be an age/,
  );
});
