import fc from 'fast-check';
import { expect, test } from 'vitest';
import { filterMatcher } from '../../src/fields/filter-match.ts';
import { type EventFilters, readFilters } from '../../src/fields/filters.ts';
import { fieldTerms, storedTermHashes, termHashes, termsOfCondition } from '../../src/terms/field-terms.ts';

test('the terms of an event are those of the specification', () => {
  const event = {
    event_type: 'auth.login.failed',
    actor_type: 'agent',
    actor_id: 'bot',
    on_behalf_of: [{ actor_type: 'user', actor_id: 'ann' }],
    entity_ids: ['h1', 'h1'],
    source_ip: '10.1.2.3',
    outcome: { outcome_status: 'denied' },
    metadata: { platform: 'web', http: { status: 404 } },
    context: { tags: ['a', true] },
    decision: { not: 'indexed' },
  };
  expect(fieldTerms(event).toSorted()).toEqual([
    'actor=agent:bot',
    'actor=bot',
    'actor_id=bot',
    'actor_type=agent',
    'context.tags=a',
    'context.tags=true',
    'entity_ids=h1',
    'event_type=auth.*',
    'event_type=auth.login.*',
    'event_type=auth.login.failed',
    'is_sensitive=false',
    'metadata.http.status=404',
    'metadata.platform=web',
    'on_behalf_of=ann',
    'on_behalf_of=user:ann',
    'outcome_status=denied',
    'severity=info',
    'source_ip/0=00000000',
    'source_ip/16=0a010000',
    'source_ip/20=0a010000',
    'source_ip/24=0a010200',
    'source_ip/28=0a010200',
    'source_ip/32=0a010203',
    'source_ip/8=0a000000',
  ]);
});

test('a hash covers the tenant, the epoch and the block', () => {
  const scope = { tenantId: 'acme', epoch: 1, block: 0 };
  // FNV-1a of "acme\n1\n0\nactor_id=ann", computed with another implementation.
  expect(termHashes(scope, ['actor_id=ann'])).toEqual([fnv('acme\n1\n0\nactor_id=ann')]);
  const others = [
    { ...scope, tenantId: 'acmf' },
    { ...scope, epoch: 2 },
    { ...scope, block: 1 },
  ];
  const hashes = [scope, ...others].map((each) => termHashes(each, ['actor_id=ann'])[0]);
  expect(new Set(hashes).size).toBe(4);
});

/** FNV-1a with big integers. */
function fnv(text: string): number {
  let hash = 0x811c9dc5n;
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
  return Number(BigInt.asIntN(32, hash));
}

test('an event with too many terms has one that every search asks for', () => {
  const metadata = Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`m${at}`, at]));
  expect(fieldTerms({ metadata })).toEqual(['*']);
  expect(fieldTerms({ metadata: { long: 'x'.repeat(513) } })).toEqual([
    'severity=info',
    'is_sensitive=false',
  ]);
});

test('hashes are stored ascending, each once, and a forged event breaks nothing', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom('entity_ids', 'on_behalf_of', 'source_ip', 'metadata', 'actor_id', 'outcome'),
        fc.jsonValue(),
      ),
      (event) => {
        const hashes = storedTermHashes({ tenantId: 'acme', epoch: 1, block: 3 }, event as object as never);
        expect(hashes).toEqual([...new Set(hashes)].sort((a, b) => a - b));
      },
    ),
  );
});

const word = fc.constantFrom('a', 'b', 'user:a', 'agent:b');
const address = fc.constantFrom('10.0.0.1', '10.200.0.1', '::1', '2001:db8::1');
const anyEvent = fc.record(
  {
    event_type: fc.constantFrom('a.b', 'a.c.d'),
    actor_type: fc.constantFrom('user', 'agent'),
    actor_id: word,
    severity: fc.constantFrom('info', 'critical'),
    entity_ids: fc.array(word),
    on_behalf_of: fc.array(fc.record({ actor_type: fc.constantFrom('user', 'agent'), actor_id: word })),
    source_ip: address,
    metadata: fc.dictionary(
      fc.constantFrom('x', 'y', 'x.y'),
      fc.oneof(word, fc.dictionary(fc.constant('y'), word), fc.array(word)),
    ),
    is_sensitive: fc.boolean(),
  },
  { requiredKeys: [] },
);
const anyFilters: fc.Arbitrary<EventFilters> = fc.oneof(
  fc.record({ actor: word }),
  fc.record({ event_type: fc.constantFrom('a.*', 'a.b', 'a.c.*') }),
  fc.record({ severity: fc.constantFrom('info', 'critical') }),
  fc.record({ is_sensitive: fc.boolean() }),
  fc.record({ entity_ids: fc.array(word, { minLength: 1 }) }),
  fc.record({ on_behalf_of: word }),
  fc.record({ 'metadata.x': word }),
  fc.record({ 'metadata.x.y': word }),
  fc.record({
    source_ip: fc.constantFrom(
      '10.0.0.0/8',
      '10.0.0.0/9',
      '10.0.0.1',
      '0.0.0.0/0',
      '::/0',
      '2001:db8::/33',
      '::1/127',
    ),
  }),
);

test('every event that matches a filter has one of its terms', () => {
  fc.assert(
    fc.property(anyEvent, anyFilters, (event, filters) => {
      const conditions = readFilters(filters);
      fc.pre(filterMatcher(conditions)(event));
      const terms = new Set(fieldTerms(event));
      for (const condition of conditions)
        expect(termsOfCondition(condition)!.some((term) => terms.has(term))).toBe(true);
    }),
  );
});

test('terms say nothing about a negation or a range', () => {
  const conditions = readFilters({ from: 'x', sequence_to: 7, not: { severity: 'info', 'metadata.a': 'b' } });
  expect(conditions.map((condition) => termsOfCondition(condition))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
