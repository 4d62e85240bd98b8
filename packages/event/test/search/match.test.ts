import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldTerms } from '../../src/field-terms.ts';
import {
  parseSearch,
  searchMatcher,
  searchTerms,
  storedSearchHashes,
  termsOfQuery,
} from '../../src/search/index.ts';

const event = {
  tenant_id: 'acme',
  event_type: 'auth.login.failed',
  severity: 'warning',
  actor_type: 'user',
  actor_id: 'maria',
  source_ip: '10.1.2.3',
  metadata: {
    note: 'Wrong password from 192.168.7.9, third attempt',
    http: { status: 404 },
    tags: ['Straße', 'x'],
  },
  outcome: { outcome_status: 'denied', error_message: 'E-42: account locked' },
  sealed: { '/metadata/name': 'deadbeef' },
};

test.each([
  ['maria', true],
  ['"wrong password"', true],
  ['"password wrong"', false],
  ['"third attempt strasse"', false],
  ['STRASSE', true],
  ['404', true],
  ['E-42', true],
  ['"account locked" -success', true],
  ['maria -denied', false],
  ['passw*', true],
  ['passwords', false],
  ['10.0.0.0/8', true],
  ['192.168.0.0/16', true],
  ['192.168.7.9', true],
  ['172.16.0.0/12', false],
  ['-172.16.0.0/12', true],
  ['actor:maria type:auth.*', true],
  ['actor:agent:maria', false],
  ['-actor:maria', false],
  ['metadata.http.status:404', true],
  ['deadbeef', false],
  ['acme', false],
  ['metadata', false],
])('%s: %s', (text, expected) => {
  expect(searchMatcher(parseSearch(text))(event)).toBe(expected);
});

test('the terms of an event are those of the specification', () => {
  expect(searchTerms({ actor_id: 'maria.l', source_ip: '10.1.2.3' }).toSorted()).toEqual([
    'ip/0=00000000',
    'ip/16=0a010000',
    'ip/20=0a010000',
    'ip/24=0a010200',
    'ip/28=0a010200',
    'ip/32=0a010203',
    'ip/8=0a000000',
    'w3=mar',
    'w=1',
    'w=10',
    'w=2',
    'w=3',
    'w=l',
    'w=maria',
  ]);
  expect(searchTerms({ tenant_id: 'acme', sealed: { '/metadata/name': 'a'.repeat(64) } })).toEqual([]);
  const many = Array.from({ length: 4_001 }, (_, at) => `word${at}`).join(' ');
  expect(searchTerms({ metadata: { many } })).toEqual(['*']);
});

test('hashes are stored ascending, each once, and a forged event breaks nothing', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (forged) => {
      const hashes = storedSearchHashes({ tenantId: 'acme', epoch: 1, block: 3 }, forged as never);
      expect(hashes).toEqual([...new Set(hashes)].sort((a, b) => a - b));
    }),
  );
});

const text = fc.oneof(
  fc.constantFrom(
    'alpha',
    'alphabet',
    'beta-gamma',
    'αβγδε',
    '東京',
    '10.0.0.1',
    '10.9.0.1',
    '2001:db8::1',
    'Zürich 𐐷𐐷𐐷𐐷',
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const anyEvent = fc.record({
  actor_id: text,
  actor_type: fc.constantFrom('user', 'agent'),
  metadata: fc.dictionary(fc.constantFrom('a', 'b'), fc.oneof(text, fc.array(text), fc.integer())),
});
const anySearch = fc
  .array(
    fc.oneof(
      text,
      text.map((each) => `"${each.replaceAll(/["\\]/g, '')}"`),
      fc.constantFrom(
        'alp*',
        'alphab*',
        'αβγ*',
        '𐐷𐐷𐐷*',
        'gam*',
        '10.0.0.0/8',
        '10.0.0.0/9',
        '2001:db8::/33',
        '0.0.0.0/0',
        'actor-type:user',
        '-alpha',
      ),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => parts.join(' '));

test('every event that matches a search has a term of each list', () => {
  fc.assert(
    fc.property(anyEvent, anySearch, (each, words) => {
      let query: ReturnType<typeof parseSearch>;
      try {
        query = parseSearch(words);
      } catch {
        return;
      }
      if (!searchMatcher(query)(each)) return;
      const { texts, fields } = termsOfQuery(query);
      const [ofTexts, ofFields] = [new Set(searchTerms(each)), new Set(fieldTerms(each))];
      for (const group of texts) expect(group.some((term) => ofTexts.has(term))).toBe(true);
      for (const group of fields) expect(group.some((term) => ofFields.has(term))).toBe(true);
    }),
    { numRuns: 500 },
  );
});
