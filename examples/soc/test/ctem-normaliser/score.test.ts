import { expect, test } from 'vitest';
import { scoreOf } from '../../src/ctem-normaliser/score.ts';
import { defaultSettings } from '../../src/platform/settings.ts';

test.each([
  ['main-safety-relay', 'safety'],
  ['plc-7', 'safety'],
  ['my-plc-7', 'data'],
  ['ROBOT-3', 'equipment'],
  ['line-4', 'downtime'],
  ['api-prod-eu', 'downtime'],
  ['laptop-17', 'data'],
])('%s: the worst consequence is %s', (asset, consequence) => {
  expect(scoreOf(asset, 1, defaultSettings.ctem).rule.consequence).toBe(consequence);
});

test.each([
  [1, 'critical'],
  [0.8, 'critical'],
  [0.79, 'high'],
  [0.6, 'high'],
  [0.3, 'medium'],
  [0.29, 'low'],
  [0, 'low'],
])('exploitability %d of a safety asset is %s', (exploitability, severity) => {
  expect(scoreOf('plc-1', exploitability, defaultSettings.ctem)).toMatchObject({
    score: exploitability * 10,
    severity,
  });
});
