import { describe, expect, test } from 'vitest';
import { mapJsonLine } from '../../src/import/jsonl.ts';
import { readSource } from '../../src/import/source-json.ts';
import { fixture, mapAll, originalOf } from './map-fixture.ts';

const events = mapAll('jsonl', fixture('events.jsonl'));
const lines = fixture('events.jsonl').toString().split('\n').filter(Boolean);
const map = (line: object | string, ordinal = 0, origin = 'host/a.jsonl') =>
  mapJsonLine(
    readSource(Buffer.from(typeof line === 'string' ? line : JSON.stringify(line))),
    {
      tenantOf: undefined,
    },
    { origin, ordinal },
  );
const whole = JSON.parse(lines[0]!);

test('an event is taken as it is', () => {
  expect(events[0]).toEqual(whole);
  expect(map(whole)).toEqual(whole);
});

test('an event without tenant and identity gets both, and nothing else', () => {
  const { audit_id, ...rest } = events[1]!;
  expect(rest).toEqual({ ...JSON.parse(lines[1]!), tenant_id: 'acme' });
  expect(audit_id).toMatch(/^[0-9a-f-]{14}8/);
});

test('something near an event is filled in, its own members and its text are kept', () => {
  expect(events[3]).toMatchObject({
    timestamp: '2025-03-14T09:27:30.25Z',
    event_type: 'invoice.paid',
    actor_type: 'user',
    actor_id: 'billing@example.com',
    source_service: 'billing',
    event_data: { service: 'billing', payload: { invoice: { id: '9007199254740993', total: 12.5 } } },
  });
  expect(originalOf(events[3]!)).toBe(lines[3]);
  expect(events[4]).toMatchObject({
    timestamp: '2025-03-14T09:28:00.500Z',
    event_type: 'import.cron',
    actor_type: 'system',
    actor_id: 'unknown',
    source_service: 'import',
  });
});

test('equal lines get different ids, by how often they came before', () => {
  const line = { ...whole, audit_id: undefined };
  expect(map(line, 0).audit_id).toBe(map(line, 0).audit_id);
  expect(map(line, 1).audit_id).not.toBe(map(line, 0).audit_id);
});

test('an exported record becomes its event again', () => {
  const record = {
    ...whole,
    sequence_number: 7,
    previous_hash: 'x',
    record_hash: 'y',
    ingested_at: 'z',
    ingest: {},
  };
  expect(map(record)).toEqual(whole);
});

test('a number that a double does not hold keeps its line', () => {
  const line = JSON.stringify({ ...whole, metadata: { n: 1 } }).replace('"n":1', '"n":9007199254740993');
  const event = map(line);
  expect(event.metadata).toEqual({ n: '9007199254740993' });
  expect(originalOf(event)).toBe(line);
});

describe('numeric identities', () => {
  const line = { time: '2025-03-14T09:27:00Z', tenant_id: 'acme', type: 'a.b' };

  test.each([
    [{ user: 4711 }, '4711', 'user'],
    [{ actor: 0 }, '0', 'user'],
    [{ user: { id: 4711, name: 'Ines' } }, '4711', 'user'],
    [{ user: { name: 'Ines' } }, 'Ines', 'user'],
    [{ actor_id: 4711, actor_type: 'service' }, '4711', 'service'],
    [{ user: true }, 'unknown', 'system'],
  ])('%j', (members, id, type) => {
    expect(map({ ...line, ...members })).toMatchObject({ actor_id: id, actor_type: type });
  });

  test('one that a double does not hold keeps its digits', () => {
    const text = JSON.stringify({ ...line, user: 1 }).replace('"user":1', '"user":9007199254740993');
    expect(map(text).actor_id).toBe('9007199254740993');
  });

  test('of a target and a tenant', () => {
    expect(map({ ...line, tenant_id: 12, target_type: 'order', target_id: 99 })).toMatchObject({
      tenant_id: '12',
      target_id: '99',
    });
  });
});

describe('times', () => {
  test.each([
    [1_741_944_480, '2025-03-14T09:28:00.000Z'],
    [1_741_944_480_250, '2025-03-14T09:28:00.250Z'],
    ['2025-03-14t09:28:00z', '2025-03-14T09:28:00Z'],
    ['2025-03-14T23:28:00+14:00', '2025-03-14T09:28:00Z'],
  ])('%j', (timestamp, expected) => {
    expect(map({ ...whole, timestamp }).timestamp).toBe(expected);
  });

  test.each([
    1_741_944_480_250_000,
    5e10,
    12,
    -1,
    '1741944480',
    '2025-03-14T09:28:00',
    '2025-03-14T09:28:00+14:01',
    '2025-03-14T09:28:00+99:00',
    '0001-01-01T00:00:00+01:00',
    '2025-02-29T00:00:00Z',
    '2025-03-14T24:00:00Z',
  ])('%j is refused, and the hint names a form', (timestamp) => {
    expect(() => map({ ...whole, timestamp })).toThrow(/RFC 3339 time/);
  });
});

test('the status in the envelope of a line that does not say how it ended is unknown', () => {
  expect(events[3]!.event_data?.status).toBe('unknown');
  expect(events[3]).not.toHaveProperty('outcome');
});

describe('lines that are refused', () => {
  test.each([
    ['a line without a time', { ...whole, timestamp: undefined }, 'has no timestamp'],
    ['a line without a tenant', { ...whole, tenant_id: undefined }, 'has no tenant_id'],
    ['a line without a type', { ...whole, event_type: undefined }, 'has no event_type'],
    ['a malformed time', { ...whole, timestamp: '14 March' }, 'is not an RFC 3339 time'],
    ['the 30th of February', { ...whole, timestamp: '2025-02-30T00:00:00Z' }, 'is not an RFC 3339 time'],
    [
      'unknown fields beside event_data',
      { ...whole, event_data: {}, surprise: 1 },
      'has event_data together with unknown fields: surprise',
    ],
  ])('%s', (_, line, message) => {
    expect(() => map(line)).toThrow(message);
  });

  test.each([['[1]'], ['"text"'], ['null'], ['{"a":']])('%s', (text) => {
    expect(() => map(text)).toThrow(/not (a JSON object|JSON)/);
  });

  test('a number too deep for the stack', () => {
    const text = `{"n":9007199254740993,"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(() => map(text)).toThrow('nested too deeply');
  });
});
