import { expect, test } from 'vitest';
import { readOptions } from '../../src/demo/options.ts';
import { alertsOf, defaultAlerts, tenantsOf } from '../../src/demo/scenario.ts';

test('without options the demo is the written one', () => {
  expect(readOptions([])).toEqual({
    keep: false,
    json: false,
    help: false,
    data: undefined,
    tenants: 2,
    alerts: defaultAlerts,
    kafka: false,
    brokers: undefined,
    models: 'offline',
  });
});

test('named brokers are used instead of one that the demo starts', () => {
  expect(readOptions(['--kafka'])).toMatchObject({ kafka: true, brokers: undefined });
  expect(readOptions(['--brokers', 'a.example.com:9092,127.0.0.1:9093'])).toMatchObject({
    kafka: true,
    brokers: ['a.example.com:9092', '127.0.0.1:9093'],
  });
});

test.each([
  [['--alerts', '0'], '--alerts takes a whole number from 1 to 100000, not "0"'],
  [['--alerts', '1e3'], '--alerts takes a whole number from 1 to 100000, not "1e3"'],
  [['--alerts', '100001'], '--alerts takes a whole number from 1 to 100000, not "100001"'],
  [['--tenants', '21'], '--tenants takes a whole number from 1 to 20, not "21"'],
  [['--tenants=-1'], '--tenants takes a whole number from 1 to 20, not "-1"'],
  [['--brokers', 'localhost'], '--brokers takes host:port, separated by commas, not "localhost"'],
  [['--models', 'gpt'], '--models takes offline, anthropic, openai, not "gpt"'],
  [['--tenant', '2'], "Unknown option '--tenant'"],
])('%j is refused', (args, message) => {
  expect(() => readOptions(args)).toThrow(message);
});

test('more alerts than the written ones are made for all tenants, and are the same each time', () => {
  const tenants = tenantsOf(5);
  const alerts = [...alertsOf(200, tenants, 1_000_000)];
  expect(alerts).toHaveLength(200);
  expect(new Set(alerts.slice(defaultAlerts).map(({ tenantId }) => tenantId))).toEqual(
    new Set(tenants.map(({ id }) => id)),
  );
  expect([...alertsOf(200, tenants, 1_000_000)]).toEqual(alerts);
});
