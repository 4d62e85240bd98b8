import { expect, test } from 'vitest';
import { overlap, similarIncidents, similarity, vectorOf } from '../../src/orchestrator/similar-incidents.ts';
import type { Investigation } from '../../src/platform/investigation.ts';
import { defaultSettings } from '../../src/platform/settings.ts';

const now = Date.parse('2026-11-20T00:00:00Z');
const day = 24 * 3_600_000;
const closed = (change: Partial<Investigation> & { daysAgo?: number } = {}): Investigation => ({
  investigation_id: 'inv-1',
  tenant_id: 'acme',
  alert_id: 'a',
  state: 'closed',
  severity: 'high',
  title: 'brute force against sshd',
  source: 'wazuh',
  techniques: ['T1110'],
  entity_ids: [],
  opened_at: '',
  closed_at: new Date(now - (change.daysAgo ?? 0) * day).toISOString(),
  ...change,
});
const alert = { tenantId: 'acme', text: 'brute force against sshd', techniques: ['T1110'] };
const scoreOf = (investigation: Investigation) =>
  similarIncidents(alert, [investigation], now, { ...defaultSettings.investigation, similarFromScore: 0 })[0]!
    .score;

test('0.4 text + 0.3 recency + 0.15 tenant + 0.15 techniques', () => {
  expect(scoreOf(closed())).toBe(1);
  expect(scoreOf(closed({ daysAgo: 30 }))).toBe(0.85);
  expect(scoreOf(closed({ techniques: [] }))).toBe(0.85);
  expect(scoreOf(closed({ tenant_id: 'globex' }))).toBe(0.85);
  expect(scoreOf(closed({ title: '' }))).toBe(0.6);
});

test('the best five, the best first, and none below the least score', () => {
  const all = Array.from({ length: 9 }, (_, at) =>
    closed({ investigation_id: `inv-${at}`, daysAgo: at * 3 }),
  );
  const other = closed({
    investigation_id: 'other',
    title: 'a printer is out of paper',
    techniques: [],
    daysAgo: 300,
  });
  const found = similarIncidents(alert, [other, ...all.toReversed()], now, defaultSettings.investigation);
  expect(found.map(({ investigation }) => investigation.investigation_id)).toEqual([
    'inv-0',
    'inv-1',
    'inv-2',
    'inv-3',
    'inv-4',
  ]);
});

test('vectors', () => {
  expect(similarity(vectorOf('one two three'), vectorOf('three two one'))).toBeCloseTo(1);
  expect(similarity(vectorOf('one two three'), vectorOf(''))).toBe(0);
  expect(Math.hypot(...vectorOf('some words here'))).toBeCloseTo(1);
});

test('overlap', () => {
  expect(overlap(['a', 'b'], ['b', 'c'])).toBeCloseTo(1 / 3);
  expect(overlap([], [])).toBe(0);
});
