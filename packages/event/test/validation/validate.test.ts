import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuditValidationError, eventErrorCodes } from '../../src/errors.ts';
import { canonicalize } from '../../src/json/canonical.ts';
import { parseStrictJson } from '../../src/json/strict-json.ts';
import { limits } from '../../src/schema/limits.ts';
import { openObject, required, string } from '../../src/schema/shape.ts';
import { soc } from '../../src/taxonomy/soc.ts';
import { defineTaxonomy } from '../../src/taxonomy/taxonomy.ts';
import { assertValidEvent, findViolations, readEvent } from '../../src/validation/validate.ts';
import { anyJson } from '../arbitraries.ts';
import { event, now } from '../event-fixture.ts';

const deploys = defineTaxonomy({
  name: 'deploys',
  types: {
    'deploy.finished': {
      category: 'action',
      description: 'A deployment ended',
      payload: { metadata: required(openObject({ version: required(string({ minLength: 1 })) })) },
    },
  },
});

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}
const manyKeys = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at]));
const text = (changes: { [field: string]: unknown }) => JSON.stringify(event(changes));
const raw = (member: string) => text({ metadata: { x: '#' } }).replace('"#"', () => member);
const hash = 'a'.repeat(64);

interface Case {
  readonly name: string;
  /** JSON text or bytes, for `readEvent`; or a value, for `findViolations`. */
  readonly input: string | Uint8Array | { readonly value: unknown };
  /** `CODE pointer`, each violation. */
  readonly violations: readonly string[];
  readonly taxonomy?: typeof soc | typeof deploys;
}

const cases: readonly Case[] = [
  { name: 'no JSON', input: '{', violations: ['JSON_INVALID '] },
  { name: 'a byte-order mark', input: `\ufeff${text({})}`, violations: ['JSON_INVALID '] },
  { name: 'a raw U+0000', input: raw('"\u0000"'), violations: ['JSON_INVALID '] },
  { name: '200 KB of opening brackets', input: '['.repeat(200_000), violations: ['JSON_INVALID '] },
  {
    name: 'a duplicate key in depth',
    input: raw('[{"a":{"b":1,"c":2,"b":1}}]'),
    violations: ['JSON_DUPLICATE_KEY '],
  },
  { name: 'invalid UTF-8', input: Uint8Array.of(0x7b, 0xff, 0x7d), violations: ['UTF8_INVALID '] },
  {
    name: 'too many bytes',
    input: text({ metadata: { x: 'x'.repeat(limits.maxEventBytes) } }),
    violations: ['EVENT_TOO_LARGE '],
  },
  {
    name: 'too many bytes of which each character makes three',
    input: text({ metadata: { x: '€'.repeat(limits.maxEventBytes / 3) } }),
    violations: ['EVENT_TOO_LARGE '],
  },
  {
    name: 'numbers that grow beyond the limit when they are written canonically',
    input: raw(`[${'1e15,'.repeat(20_000)}1]`),
    violations: ['EVENT_TOO_LARGE '],
  },
  {
    name: 'one level too many',
    input: text({ metadata: { x: nested(limits.maxDepth - 1) } }),
    violations: [`EVENT_TOO_DEEP /metadata/x${'/0/a'.repeat(15)}`],
  },
  {
    name: 'nesting as deep as 128 KB can make it',
    input: raw('['.repeat(65_000) + ']'.repeat(65_000)),
    violations: [`EVENT_TOO_DEEP /metadata/x${'/0'.repeat(30)}`],
  },
  {
    name: 'too many members',
    input: text({ metadata: manyKeys(2_000) }),
    violations: ['EVENT_TOO_MANY_KEYS '],
  },
  {
    name: 'too many members, spread over many objects',
    input: text({ metadata: { x: Array.from({ length: 50 }, () => manyKeys(40)) } }),
    violations: ['EVENT_TOO_MANY_KEYS '],
  },
  {
    name: 'a value that JSON has no word for',
    input: { value: event({ metadata: { list: [undefined], big: 1n } }) },
    violations: ['VALUE_NOT_JSON /metadata/list/0', 'VALUE_NOT_JSON /metadata/big'],
  },
  {
    name: 'an escaped lone surrogate',
    input: raw('"\\udc00\\ud800"'),
    violations: ['STRING_LONE_SURROGATE /metadata/x'],
  },
  {
    name: 'a raw lone surrogate in text',
    input: raw('"\ud800"'),
    violations: ['STRING_LONE_SURROGATE /metadata/x'],
  },
  {
    // The pointer is stored and sent on: it can't hold what the event may not.
    name: 'a lone surrogate in a key',
    input: raw('{"\\ud800":1}'),
    violations: ['STRING_LONE_SURROGATE /metadata/x/\ufffd'],
  },
  { name: 'an escaped U+0000', input: raw('["a\\u0000"]'), violations: ['STRING_NUL /metadata/x/0'] },
  { name: 'U+0000 in a key', input: raw('{"\\u0000":1}'), violations: ['STRING_NUL /metadata/x/\ufffd'] },
  { name: '2^53 + 1', input: raw('9007199254740993'), violations: ['NUMBER_OUT_OF_RANGE /metadata/x'] },
  { name: '2^53', input: raw('-9007199254740992'), violations: ['NUMBER_OUT_OF_RANGE /metadata/x'] },
  { name: '1e999', input: raw('[1e999]'), violations: ['NUMBER_OUT_OF_RANGE /metadata/x/0'] },
  {
    name: 'an integer with an exponent',
    input: raw('1e16'),
    violations: ['NUMBER_OUT_OF_RANGE /metadata/x'],
  },
  { name: 'an unknown field', input: text({ colour: 'red' }), violations: ['FIELD_UNKNOWN /colour'] },
  {
    name: 'an unknown field named after a property of every object',
    input: text({ constructor: 1, hasOwnProperty: 1, toString: { a: 1 } }),
    violations: ['FIELD_UNKNOWN /constructor', 'FIELD_UNKNOWN /hasOwnProperty', 'FIELD_UNKNOWN /toString'],
  },
  {
    name: 'an unknown field __proto__',
    input: text({}).replace('{', '{"__proto__":{"tenant_id":"evil"},'),
    violations: ['FIELD_UNKNOWN /__proto__'],
  },
  {
    name: 'a huge unknown key, whose pointer is cut',
    input: text({ ['k/'.repeat(50_000)]: 1 }),
    violations: [`FIELD_UNKNOWN /${'k~1'.repeat(200).slice(0, 511)}…`],
  },
  {
    name: 'no field at all',
    input: '{}',
    violations: [
      'audit_id',
      'tenant_id',
      'timestamp',
      'event_type',
      'actor_type',
      'actor_id',
      'source_service',
    ].map((field) => `FIELD_REQUIRED /${field}`),
  },
  { name: 'an array', input: '[]', violations: ['FIELD_TYPE '] },
  { name: 'null', input: 'null', violations: ['FIELD_TYPE '] },
  { name: 'null for a string', input: text({ actor_id: null }), violations: ['FIELD_TYPE /actor_id'] },
  { name: 'a number for a string', input: text({ target_id: 1 }), violations: ['FIELD_TYPE /target_id'] },
  { name: 'an array for an object', input: text({ context: [] }), violations: ['FIELD_TYPE /context'] },
  { name: 'an object for a list', input: text({ entity_ids: {} }), violations: ['FIELD_TYPE /entity_ids'] },
  {
    name: 'a number in a list',
    input: text({ entity_ids: ['a', 1] }),
    violations: ['FIELD_TYPE /entity_ids/1'],
  },
  {
    name: 'a string for a boolean',
    input: text({ is_sensitive: 'no' }),
    violations: ['FIELD_TYPE /is_sensitive'],
  },
  { name: 'a fraction', input: text({ retention_days: 1.5 }), violations: ['FIELD_TYPE /retention_days'] },
  {
    name: 'another major version',
    input: text({ event_version: '2.0' }),
    violations: ['FIELD_FORMAT /event_version'],
  },
  { name: 'an empty identifier', input: text({ actor_id: '' }), violations: ['FIELD_LENGTH /actor_id'] },
  {
    name: 'an identifier of 513 UTF-16 units',
    input: text({ cluster: `${'\u{1f600}'.repeat(256)}a` }),
    violations: ['FIELD_LENGTH /cluster'],
  },
  {
    name: 'a list that is too long',
    input: text({ entity_ids: Array.from({ length: 1_001 }, () => 'e') }),
    violations: ['FIELD_LENGTH /entity_ids'],
  },
  {
    name: 'a retention of no days',
    input: text({ retention_days: 0 }),
    violations: ['FIELD_RANGE /retention_days'],
  },
  {
    name: 'a retention of ages',
    input: text({ retention_days: 36_501 }),
    violations: ['FIELD_RANGE /retention_days'],
  },
  { name: 'an unknown severity', input: text({ severity: 'INFO' }), violations: ['FIELD_ENUM /severity'] },
  {
    name: 'an inherited name for an enum',
    input: text({ severity: 'toString' }),
    violations: ['FIELD_ENUM /severity'],
  },
  {
    name: 'an unknown outcome',
    input: text({ outcome: { outcome_status: 'ok' } }),
    violations: ['FIELD_ENUM /outcome/outcome_status'],
  },
  { name: 'a proof without a type', input: text({ proof: {} }), violations: ['FIELD_REQUIRED /proof/type'] },
  {
    name: 'an envelope without its parts',
    input: text({ event_data: { version: '1', service: 'a', operation: 'b', payload: [] } }),
    violations: ['FIELD_REQUIRED /event_data/status', 'FIELD_TYPE /event_data/payload'],
  },
  {
    name: 'an upper-case UUID',
    input: text({ audit_id: '019CB000-0000-7000-8000-000000000001' }),
    violations: ['AUDIT_ID_INVALID /audit_id'],
  },
  {
    name: 'no UUID',
    input: text({ audit_id: `${event().audit_id}\n` }),
    violations: ['AUDIT_ID_INVALID /audit_id'],
  },
  {
    name: 'a UUIDv7 of the day after tomorrow',
    input: text({ audit_id: '019cb000-0000-7000-8000-000000000001' }),
    violations: ['AUDIT_ID_AHEAD /audit_id'],
  },
  ...['', '.a', 'a/b', 'a b', 'ä', 'a\n', 'a+b', 'a,b', 'x'.repeat(129)].map((tenant) => ({
    name: `the tenant ${JSON.stringify(tenant.slice(0, 9))}`,
    input: text({ tenant_id: tenant }),
    violations: ['TENANT_ID_INVALID /tenant_id'],
  })),
  ...[
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '1900-02-29T00:00:00.5Z',
    '2026-04-31T00:00:00Z',
    '2026-06-30T23:59:60Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:00+00:00',
    '2026-01-01T00:00:00z',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00.1234567890Z',
    '2026-13-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '+002026-01-01T00:00:00Z',
    // Postgres has no year 0: such an event would fail in the writer, and its whole batch with it.
    '0000-01-01T00:00:00Z',
    '٢٠٢٦-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    '',
  ].map((timestamp) => ({
    name: `the time ${JSON.stringify(timestamp)}`,
    input: text({ timestamp }),
    violations: ['TIMESTAMP_INVALID /timestamp'],
  })),
  {
    name: 'a malformed capture time',
    input: text({ proof: { type: 'url', captured_at: 'yesterday' } }),
    violations: ['TIMESTAMP_INVALID /proof/captured_at'],
  },
  {
    name: 'a time more than an hour ahead',
    input: text({ timestamp: '2026-03-01T13:00:00.001Z' }),
    violations: ['TIMESTAMP_AHEAD /timestamp'],
  },
  ...[
    'publish',
    'Content.publish',
    'content.',
    '.publish',
    'a..b',
    '1a.b',
    'a b.c',
    `a.${'b'.repeat(127)}`,
  ].map((type) => ({
    name: `the type ${JSON.stringify(type.slice(0, 20))}`,
    input: text({ event_type: type }),
    violations: ['EVENT_TYPE_INVALID /event_type'],
  })),
  {
    name: 'a type outside the taxonomy',
    input: text({}),
    taxonomy: soc,
    violations: ['EVENT_TYPE_UNKNOWN /event_type'],
  },
  ...['system.genesis', 'delivery.gap', 'audit.anything', 'retention.x', 'hold.placed', 'source.lost'].map(
    (type) => ({
      name: `the reserved type ${type}`,
      input: text({ event_type: type }),
      violations: ['EVENT_TYPE_RESERVED /event_type'],
    }),
  ),
  {
    name: 'the actor of the service',
    input: text({ actor_type: 'system', actor_id: 'tallystick' }),
    violations: ['ACTOR_RESERVED /actor_id'],
  },
  {
    name: 'an actor on behalf of the service',
    input: text({ on_behalf_of: [{ actor_type: 'system', actor_id: 'tallystick' }] }),
    violations: ['ACTOR_RESERVED /on_behalf_of/0/actor_id'],
  },
  {
    name: 'a reserved type that the taxonomy lists',
    input: text({ event_type: 'system.genesis' }),
    taxonomy: soc,
    violations: ['EVENT_TYPE_RESERVED /event_type'],
  },
  {
    name: "another category than the taxonomy's",
    input: text({ event_type: 'alert.classified', event_category: 'action' }),
    taxonomy: soc,
    violations: ['EVENT_CATEGORY_MISMATCH /event_category'],
  },
  {
    name: 'a payload that does not fit its type',
    input: text({ event_type: 'alert.classified', decision: { confidence: 1.5 } }),
    taxonomy: soc,
    violations: ['FIELD_RANGE /decision/confidence'],
  },
  {
    name: 'a part that the type requires',
    input: text({ event_type: 'deploy.finished' }),
    taxonomy: deploys,
    violations: ['FIELD_REQUIRED /metadata'],
  },
  {
    name: 'a member that the type requires',
    input: text({ event_type: 'deploy.finished', metadata: {} }),
    taxonomy: deploys,
    violations: ['FIELD_REQUIRED /metadata/version'],
  },
  ...[
    'metadata/ip',
    '',
    '/metadata',
    '/actor_id',
    '/tenant_id/x',
    '/entity_ids/0',
    '/outcome/outcome_status',
    '/metadata/a~2',
    '/__proto__/a',
  ].map((pointer) => ({
    name: `the sealed pointer ${JSON.stringify(pointer)}`,
    input: text({ sealed: { [pointer]: hash } }),
    violations: [`SEALED_INVALID /sealed/${pointer.replaceAll('~', '~0').replaceAll('/', '~1')}`],
  })),
  ...[hash.toUpperCase(), hash.slice(1), `${hash}a`, 1, null].map((commitment) => ({
    name: `the commitment ${JSON.stringify(commitment)?.slice(0, 9)}`,
    input: text({ sealed: { '/metadata/ip': commitment } }),
    violations: ['SEALED_INVALID /sealed/~1metadata~1ip'],
  })),
  {
    name: 'a sealed value that is also there in the clear',
    input: text({ sealed: { '/metadata/a~1b/0': hash }, metadata: { 'a/b': ['secret'] } }),
    violations: ['SEALED_INVALID /sealed/~1metadata~1a~01b~10'],
  },
];

function violationsOf({ input, taxonomy }: Case): string[] {
  const options = { now, taxonomy };
  if (typeof input === 'object' && 'value' in input) {
    return findViolations(input.value, options).map(({ code, pointer }) => `${code} ${pointer}`);
  }
  try {
    readEvent(input, options);
    return [];
  } catch (error) {
    if (!(error instanceof AuditValidationError)) throw error;
    expect(error.code).toBe(error.violations[0]!.code);
    expect(error.pointer).toBe(error.violations[0]!.pointer);
    return error.violations.map(({ code, pointer }) => `${code} ${pointer}`);
  }
}

describe('an event that is refused', () => {
  it.each(cases.map((one) => [one.name, one] as const))('for %s', (_, one) => {
    expect(violationsOf(one)).toEqual(one.violations);
  });

  it('is refused with every code of the list by some case above', () => {
    const reached = new Set(
      cases.flatMap((one) => one.violations.map((violation) => violation.split(' ')[0])),
    );
    expect([...reached].toSorted()).toEqual([...eventErrorCodes].toSorted());
  });

  it('names at most twenty reasons', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`x${at}`, 1]));
    expect(findViolations(event(many), { now })).toHaveLength(20);
  });

  it('is not quoted in the message', () => {
    const found = findViolations(event({ actor_id: 7, severity: 'hunter2', timestamp: 'hunter2' }), { now });
    expect(found).toHaveLength(3);
    expect(found.map((one) => one.message).join()).not.toContain('hunter2');
  });
});

describe('an event that is admitted', () => {
  it.each([
    ['with nothing but what is required', {}],
    ['with undefined for absent', { severity: undefined, metadata: { a: undefined } }],
    ['of the past', { timestamp: '0001-01-01T00:00:00Z', audit_id: '00000000-0000-7000-8000-000000000000' }],
    ['of 29 February', { timestamp: '2024-02-29T23:59:59.999999999Z' }],
    ['an hour ahead to the millisecond', { timestamp: '2026-03-01T13:00:00.000Z' }],
    [
      'with a UUIDv4 whose first digits would be a time far ahead',
      { audit_id: 'ffffffff-ffff-4fff-bfff-ffffffffffff' },
    ],
    ['with the tenant of greatest length', { tenant_id: `A${'@._:-9'.repeat(21)}z` }],
    ['with an identifier of 512 units', { cluster: '\u{1f600}'.repeat(256) }],
    ['nested as deep as is allowed', { metadata: { x: nested(limits.maxDepth - 2) } }],
    ['with as many members as are allowed', { metadata: manyKeys(2_000 - 8) }],
    [
      'with the largest integers',
      { metadata: { x: [9_007_199_254_740_991, -9_007_199_254_740_991, 0.1, -0] } },
    ],
    [
      'with prototype names inside an object',
      { metadata: { constructor: 1, hasOwnProperty: 2, valueOf: null } },
    ],
    ['with a sealed field', { sealed: { '/metadata/ip': hash, '/context/a~1b/0': hash }, metadata: {} }],
    ['of a type outside every taxonomy', { event_type: 'gateway.signal.received' }],
    ['of a type that merely begins like a reserved one', { event_type: 'auditor.hired' }],
  ])('%s', (_, changes) => {
    expect(findViolations(event(changes), { now })).toEqual([]);
  });

  it('of a reserved type, where the service itself asks', () => {
    expect(findViolations(event({ event_type: 'audit.read' }), { now, allowReserved: true })).toEqual([]);
    expect(
      findViolations(event({ event_type: 'audit.read' }), { now, allowReserved: true, taxonomy: soc }),
    ).toEqual([]);
  });

  it('of the largest size', () => {
    const space = limits.maxEventBytes - text({ metadata: { x: '' } }).length;
    const largest = text({ metadata: { x: 'x'.repeat(space) } });
    expect(readEvent(largest, { now }).canonical).toHaveLength(limits.maxEventBytes);
    expect(readEvent(new TextEncoder().encode(largest), { now }).canonical).toHaveLength(
      limits.maxEventBytes,
    );
    expect(() => readEvent(`${largest} `, { now })).toThrow(
      expect.objectContaining({ code: 'EVENT_TOO_LARGE' }),
    );
  });

  it('has its canonical text, whatever order and space it came in', () => {
    fc.assert(
      fc.property(anyJson, fc.boolean(), (value, spaced) => {
        const sent = Object.fromEntries(Object.entries(event({ context: { value } })).toReversed());
        const read = () => readEvent(JSON.stringify(sent, null, spaced ? 2 : 0), { now });
        if (findViolations(JSON.parse(JSON.stringify(sent)), { now }).length > 0) {
          expect(read).toThrow(AuditValidationError);
        } else {
          expect(read().canonical).toBe(canonicalize(sent));
          expect(canonicalize(read().event)).toBe(read().canonical);
        }
      }),
    );
  });

  it('is never a value that can not be canonical: hostile input throws this error or none', () => {
    fc.assert(
      fc.property(anyJson, fc.nat(), fc.string({ unit: 'binary', maxLength: 2 }), (value, seed, junk) => {
        const whole = JSON.stringify(event({ metadata: { value } }));
        const at = seed % whole.length;
        try {
          readEvent(whole.slice(0, at) + junk + whole.slice(at + 1), { now });
        } catch (error) {
          expect(error).toBeInstanceOf(AuditValidationError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('assertValidEvent', () => {
  it('throws what findViolations finds', () => {
    expect(() => assertValidEvent(event(), { now })).not.toThrow();
    expect(() => assertValidEvent(parseStrictJson('{}'), { now })).toThrow(
      'is required (FIELD_REQUIRED at /audit_id)',
    );
  });
});

// Operators of the console read "must match ^(?!0000)\d{4}-(?:0[1-9]|…" of a refused event.
it('says in words what is expected of a text, and not by a regular expression', () => {
  const odd = {
    audit_id: 'x',
    tenant_id: '',
    timestamp: 'x',
    event_type: 'X',
    source_ip: 'x',
    event_version: 'x',
  };
  const violations = findViolations(
    { ...event(), ...odd, proof: { type: 'none', captured_at: 'x' } },
    { now },
  );
  expect(violations.length).toBe(7);
  for (const { message } of violations) expect(message).not.toContain('^');
});
