import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { describe, expect, type TestContext, test } from 'vitest';
import { relayExposition } from '../src/integrations/postgres/relay-status.ts';
import { testEmitter } from './support/emitter.ts';
import { skipWithout } from './support/parts.ts';

const root = resolve(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const alerts = read('deploy/prometheus/alerts.yml');
const alertTests = read('deploy/prometheus/alerts.test.yml');
const dashboard = JSON.parse(read('deploy/grafana/dashboard.json')) as Dashboard;

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly w: number };
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly query: string }[] };
}

type Types = ReadonlyMap<string, string>;

function producerMetrics(): Types {
  const text = testEmitter().emitter.metrics.exposition();
  return new Map(Array.from(text.matchAll(/^# TYPE (\w+) (\w+)$/gm), ([, name, type]) => [name!, type!]));
}

/** The service's metrics, read from its sources, since the SDK must not depend on the service. */
function serviceMetrics(): Types {
  const sources = 'packages/server/src/metrics';
  const text = readdirSync(join(root, sources))
    .map((file) => read(join(sources, file)))
    .join('\n');
  const declared = text.matchAll(/new (Counter|Gauge|Histogram)\(\{\s*name: '(\w+)'/g);
  const gauges = text.matchAll(/(?:= gauge|partitionGauge)\(\s*'(\w+)'/g);
  const counters = text.matchAll(/= counter\(\s*'(\w+)'/g);
  return new Map([
    ...Array.from(declared, ([, type, name]) => [name!, type!.toLowerCase()] as const),
    ...Array.from(gauges, ([, name]) => [name!, 'gauge'] as const),
    ...Array.from(counters, ([, name]) => [name!, 'counter'] as const),
  ]);
}

const exposed: Types = new Map([...producerMetrics(), ...serviceMetrics()]);
/** The metrics of an outbox's relay. The dashboard does not show them: most applications have no outbox. */
const relayMetrics = Array.from(
  relayExposition(
    {
      ...{ waiting: 0, lagSeconds: 0, deadLetters: 0, delivered: 0, duplicates: 0, refused: 0, retries: 0 },
      failing: false,
    },
    's',
  ).matchAll(/^# TYPE (\w+) (\w+)$/gm),
  ([, name, type]) => [name!, type!] as const,
);
const series = new Set(
  [...exposed, ...relayMetrics].flatMap(([name, type]) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
  ),
);
const metricsIn = (text: string) => new Set(text.match(/\b(audit|tallystick)_[a-z_]+\b/g));
const shown = [
  ...dashboard.panels.flatMap((panel) => panel.targets ?? []).map(({ expr }) => expr),
  ...dashboard.templating.list.map(({ query }) => query),
].join('\n');

test('the metrics are found where they are declared', () => {
  expect(producerMetrics().size).toBeGreaterThan(12);
  expect(serviceMetrics().size).toBeGreaterThan(10);
  expect(exposed.get('audit_write_duration_seconds')).toBe('histogram');
  expect(exposed.get('tallystick_chains_stopped')).toBe('gauge');
});

describe.each([
  ['alerts', alerts],
  ['tests of the alerts', alertTests],
  ['dashboard', shown],
])('%s', (_, text) => {
  test('name only metrics that exist', () => {
    expect(metricsIn(text).size).toBeGreaterThan(15);
    expect([...metricsIn(text)].filter((name) => !series.has(name))).toEqual([]);
  });

  test('take rates of counters only', () => {
    for (const [, name = ''] of text.matchAll(/\b(?:rate|increase)\((\w+)/g)) {
      expect(exposed.get(name) ?? exposed.get(name.replace(/_(bucket|sum|count)$/, ''))).not.toBe('gauge');
    }
  });
});

test('the dashboard shows every metric', () => {
  const names = metricsIn(shown);
  const hidden = [...exposed.keys()].filter((name) => ![...names].some((one) => one.startsWith(name)));
  expect(hidden).toEqual([]);
});

test('the three required alerts exist, and do not contain a constant buffer size', () => {
  const names = Array.from(alerts.matchAll(/- alert: (\w+)/g), ([, name]) => name!);
  expect(names).toEqual(
    expect.arrayContaining(['AuditHighDropRate', 'AuditHighFailureRate', 'AuditHighBufferUtilization']),
  );
  expect(alerts).toContain('audit_buffer_size / audit_buffer_capacity > 0.8');
  for (const name of names) expect(alertTests, 'each alert is made to fire').toContain(`alertname="${name}"`);
});

test('panels have unique ids and fit in the width of the page', () => {
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const needPromtool = (context: TestContext) => {
  if (!hasPromtool) skipWithout(context, 'promtool', 'the Debian package prometheus');
};
const runPromtool = (...args: string[]) =>
  execFileSync('promtool', args, { cwd: join(root, 'deploy/prometheus'), encoding: 'utf8', stdio: 'pipe' });

test('promtool accepts the alerts', (context) => {
  needPromtool(context);
  expect(runPromtool('check', 'rules', 'alerts.yml')).toContain('SUCCESS');
});

test('each alert fires when it should, and none fires otherwise', (context) => {
  needPromtool(context);
  expect(runPromtool('test', 'rules', 'alerts.test.yml')).toContain('SUCCESS');
});

test("Prometheus parses the emitter's exposition", (context) => {
  needPromtool(context);
  const text = testEmitter().emitter.metrics.exposition();
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

// Replaces Grafana's variables and makes each query a rule, so that Prometheus itself parses it.
test('every query of the dashboard is one that Prometheus can parse', (context) => {
  needPromtool(context);
  const queries = dashboard.panels.flatMap((panel) => panel.targets ?? []);
  const rules = queries.map(({ expr }, index) => ({
    record: `query_${index}`,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$service', '.*'),
  }));
  using directory = tempDir();
  const file = join(directory.path, 'queries.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  expect(runPromtool('check', 'rules', file)).toContain(`${queries.length} rules found`);
});
