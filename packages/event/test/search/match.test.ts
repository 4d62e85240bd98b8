import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  maxQueryAlternatives,
  parseSearch,
  searchMatcher,
  searchTerms,
  storedSearchHashes,
  termsOfQuery,
} from '../../src/search/index.ts';
import { fieldTerms } from '../../src/terms/field-terms.ts';

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
  ['success OR maria', true],
  ['success OR nobody', false],
  ['nobody maria OR denied', true],
  ['nobody (maria OR denied)', false],
  ['denied -(success OR nobody)', true],
  ['-(denied nobody)', true],
  ['-(denied maria)', false],
  ['-(-maria OR success)', true],
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
const anyPart = fc.oneof(
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
);
const { search: anySearch } = fc.letrec<{ search: string; alternative: string; part: string }>((tie) => ({
  search: fc.array(tie('alternative'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join(' OR ')),
  alternative: fc.array(tie('part'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(' ')),
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: anyPart },
    { weight: 1, arbitrary: tie('search').map((each) => `(${each})`) },
    { weight: 1, arbitrary: tie('search').map((each) => `-(${each})`) },
  ),
}));

test('every event that matches a search has a term of each list of one alternative', () => {
  let found = 0;
  fc.assert(
    fc.property(anyEvent, anySearch, (each, words) => {
      let query: ReturnType<typeof parseSearch>;
      try {
        query = parseSearch(words);
      } catch {
        return;
      }
      const alternatives = termsOfQuery(query);
      expect(alternatives.length).toBeGreaterThan(0);
      expect(alternatives.length).toBeLessThanOrEqual(maxQueryAlternatives);
      if (!searchMatcher(query)(each)) return;
      if (query.clauses.some(({ kind }) => kind === 'any')) found++;
      const [ofTexts, ofFields] = [new Set(searchTerms(each)), new Set(fieldTerms(each))];
      const isFound = alternatives.some(
        ({ texts, fields }) =>
          texts.every((group) => group.some((term) => ofTexts.has(term))) &&
          fields.every((group) => group.some((term) => ofFields.has(term))),
      );
      expect(isFound, words).toBe(true);
    }),
    { numRuns: 1_000 },
  );
  expect(found).toBeGreaterThan(20);
});

test.each([
  ['delet* OR dropped', [{ texts: 1, fields: 0 }]],
  [
    'delet* OR outcome:denied',
    [
      { texts: 1, fields: 0 },
      { texts: 0, fields: 1 },
    ],
  ],
  [
    '"a b" OR "c d" OR x',
    [
      { texts: 1, fields: 0 },
      { texts: 2, fields: 0 },
      { texts: 2, fields: 0 },
    ],
  ],
  [
    'a (b OR type:x.y) actor:z',
    [
      { texts: 2, fields: 1 },
      { texts: 1, fields: 2 },
    ],
  ],
  // Three pairs are eight ways to choose; of a fourth, one word each is asked for.
  [
    '("a b" OR "c d") ("e f" OR "g h") ("i j" OR "k l") ("m n" OR "o p")',
    Array(8).fill({ texts: 7, fields: 0 }),
  ],
  // More than eight alternatives are one list of their longest words, and one of their fields.
  [
    [...Array.from({ length: 10 }, (_, at) => `"no longest${at}"`), 'type:a.b'].join(' OR '),
    [
      { texts: 1, fields: 0 },
      { texts: 0, fields: 1 },
    ],
  ],
  ['a OR -b', [{ texts: 0, fields: 0 }]],
  ['a -(b OR c)', [{ texts: 1, fields: 0 }]],
])('%s asks the indexes for few alternatives', (text, expected) => {
  const counts = termsOfQuery(parseSearch(text)).map(({ texts, fields }) => ({
    texts: texts.length,
    fields: fields.length,
  }));
  expect(counts).toEqual(expected);
});
