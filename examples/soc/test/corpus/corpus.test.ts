import { expect, test } from 'vitest';
import { corpusAlerts } from '../../src/corpus/alerts.ts';
import { corpusFindings } from '../../src/corpus/findings.ts';
import { generateAlerts } from '../../src/corpus/generator.ts';
import { corpusTelemetry } from '../../src/corpus/telemetry.ts';
import { parseAlert } from '../../src/entity-parser/parse-alert.ts';
import { defaultSettings } from '../../src/platform/settings.ts';

const parse = ({ tenantId, source, payload }: (typeof corpusAlerts)[number]) =>
  parseAlert(tenantId, { source, received_at: '2026-11-20T10:00:00Z', payload }, defaultSettings.alerts);

test('it has at least 60 alerts of all kinds besides the burst, and no name twice', () => {
  const single = corpusAlerts.filter(({ name }) => !name.startsWith('burst-'));
  expect(single.length).toBeGreaterThanOrEqual(60);
  const counts = Object.fromEntries(
    [...Map.groupBy(single, ({ kind }) => kind)].map(([kind, all]) => [kind, all.length]),
  );
  expect(counts).toEqual({
    attack: 20,
    injection: 10,
    malformed: 10,
    duplicate: 2,
    harmless: 12,
    hostile: 6,
  });
  for (const all of [corpusAlerts, corpusFindings, corpusTelemetry]) {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  }
});

test.each(corpusAlerts.filter(({ kind, name }) => kind === 'malformed' && name !== 'stranger'))(
  '$name is refused',
  (alert) => {
    expect(() => parse(alert)).toThrow();
  },
);

test.each(corpusAlerts.filter(({ kind }) => kind === 'injection'))(
  '$name has signs of injection',
  (alert) => {
    expect(parse(alert).injection).not.toEqual([]);
  },
);

test('attacks, harmless and hostile alerts are valid and have no signs of injection', () => {
  const others = corpusAlerts.filter(({ kind }) => !['malformed', 'injection'].includes(kind));
  for (const alert of others) expect([alert.name, parse(alert).injection]).toEqual([alert.name, []]);
});

test('the same seed gives the same alerts, all of them valid, each with an id of its own', () => {
  const options = { tenants: ['acme', 'globex'], from: Date.parse('2026-11-20T12:00:00Z') };
  const take = (seed: number) => {
    const generator = generateAlerts({ seed, ...options });
    return Array.from({ length: 500 }, () => generator.next().value);
  };
  const alerts = take(1);
  expect(take(1)).toEqual(alerts);
  expect(take(2)).not.toEqual(alerts);
  expect(new Set(alerts.map((alert) => parse(alert).alert_id)).size).toBe(500);
  expect(new Set(alerts.map(({ source }) => source)).size).toBe(4);
  expect(new Set(alerts.map(({ tenantId }) => tenantId)).size).toBe(2);
});
