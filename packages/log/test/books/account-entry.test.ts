import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AccountEntry, formatAccountEntry, parseAccountEntry } from '../../src/books/account-entry.ts';

const account = { submitter: 'key:1', producerId: '01a2', tenantId: 'acme' };

test('the text of an entry has the members that changed, in the canonical order', () => {
  const entry: AccountEntry = {
    ...account,
    settled: [
      [2, 2],
      [4, 9],
    ],
    final: 9,
    ephemeral: true,
    service: 'cms',
  };
  expect(formatAccountEntry(entry)).toBe(
    '{"ephemeral":true,"final":9,"producer_id":"01a2","service":"cms","settled":"2-2 4-9","submitter":"key:1","tenant_id":"acme"}',
  );
  expect(formatAccountEntry({ ...account, settled: [] })).toBe(
    '{"producer_id":"01a2","submitter":"key:1","tenant_id":"acme"}',
  );
});

test('an entry is read as it was written', () => {
  const settled = fc
    .uniqueArray(fc.integer({ min: 1, max: 2 ** 53 - 1 }), { maxLength: 8 })
    .map((numbers) => numbers.sort((a, b) => a - b))
    .map((numbers) =>
      Array.from(
        { length: numbers.length >> 1 },
        (_, at) => [numbers[2 * at]!, numbers[2 * at + 1]!] as const,
      ),
    );
  const entry = fc.record(
    {
      submitter: fc.string({ unit: 'grapheme' }),
      producerId: fc.uuid(),
      tenantId: fc.string(),
      settled,
      final: fc.nat(),
      ephemeral: fc.constant(true as const),
      service: fc.string({ unit: 'grapheme' }),
    },
    { requiredKeys: ['submitter', 'producerId', 'tenantId', 'settled'] },
  );
  fc.assert(
    fc.property(entry, (each) => {
      expect(parseAccountEntry(formatAccountEntry(each))).toEqual(each);
    }),
  );
});

const text = (changes: object) =>
  JSON.stringify({ submitter: 'key:1', producer_id: '01a2', tenant_id: 'acme', ...changes });

test.each([
  ['no text', 7],
  ['no JSON', '{'],
  ['no object', 'null'],
  ['no submitter', text({ submitter: undefined })],
  ['a producer that is no text', text({ producer_id: 1 })],
  ['no tenant', text({ tenant_id: null })],
  ['numbers that are no text', text({ settled: [[1, 2]] })],
  ['a range without an end', text({ settled: '1' })],
  ['a range that ends before it begins', text({ settled: '3-2' })],
  ['the number 0', text({ settled: '0-2' })],
  ['a number that a double can not hold', text({ settled: '1-9007199254740993' })],
  ['two spaces between ranges', text({ settled: '1-2  4-5' })],
  ['a negative last number', text({ final: -1 })],
  ['a last number with a fraction', text({ final: 1.5 })],
  ['false for ephemeral', text({ ephemeral: false })],
  ['a name that is no text', text({ service: 1 })],
])('an entry with %s is not read', (_, wrong) => {
  expect(parseAccountEntry(wrong)).toBeUndefined();
});
