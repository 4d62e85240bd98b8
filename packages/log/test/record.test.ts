import { createHash } from 'node:crypto';
import { canonicalize, isCanonical } from '@tallystick/event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  computeRecordHash,
  flattenRecord,
  holdsEvent,
  type Ingest,
  readRecord,
  sealRecord,
  trustLevels,
  zeroHash,
} from '../src/record.ts';
import { event, ingest, ingestedAt } from './fixture.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 20 });
const anyHex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const anyIngest = fc.record(
  {
    nonce: anyHex(32),
    source: anyText,
    trust: fc.constantFrom(...trustLevels),
    principal: anyText,
    producer_id: fc.uuid(),
    producer_seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  },
  { requiredKeys: ['nonce', 'source', 'trust'] },
) as fc.Arbitrary<Ingest>;

const parts = {
  canonicalEvent: canonicalize(event(1)),
  ingest,
  ingestedAt: ingestedAt(1),
  previousHash: zeroHash,
  sequenceNumber: 1,
  tenantId: 'acme',
};
const valid = sealRecord(parts);

describe('sealRecord', () => {
  it('splices the bytes that canonicalisation of the whole would give', () => {
    const anyEvent = fc.dictionary(fc.string({ unit: 'binary', maxLength: 5 }), fc.jsonValue(), {
      maxKeys: 5,
    });
    fc.assert(
      fc.property(
        anyEvent,
        anyIngest,
        anyHex(64),
        fc.maxSafeNat(),
        (content, by, previousHash, sequenceNumber) => {
          const sealed = sealRecord({
            ...parts,
            canonicalEvent: canonicalize(content),
            ingest: by,
            previousHash,
            sequenceNumber,
          });
          const record = {
            tenant_id: 'acme',
            sequence_number: sequenceNumber,
            record_version: '1',
            previous_hash: previousHash,
            ingested_at: parts.ingestedAt,
            ingest: by,
            event: content,
          };
          expect(sealed.text).toBe(canonicalize(record));
          expect(isCanonical(sealed.text)).toBe(true);
          expect(canonicalize(readRecord(sealed.text))).toBe(sealed.text);
          expect(sealed.hashHex).toBe(createHash('sha256').update(sealed.text, 'utf8').digest('hex'));
          expect(Buffer.from(sealed.hash).toString('hex')).toBe(sealed.hashHex);
          expect(computeRecordHash(sealed.text)).toBe(sealed.hashHex);
          expect(computeRecordHash(record)).toBe(sealed.hashHex);
        },
      ),
    );
  });

  it('gives another hash whenever a part changes', () => {
    const hashes = [
      parts,
      { ...parts, canonicalEvent: canonicalize(event(2)) },
      { ...parts, ingest: { ...ingest, nonce: '1'.repeat(32) } },
      { ...parts, ingest: { ...ingest, producer_seq: 1 } },
      { ...parts, ingestedAt: ingestedAt(2) },
      { ...parts, previousHash: '1'.repeat(64) },
      { ...parts, sequenceNumber: 2 },
      { ...parts, tenantId: 'acme2' },
    ].map((one) => sealRecord(one).hashHex);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('holdsEvent', () => {
  it('knows its own event and no other', () => {
    expect(holdsEvent(valid.text, parts.canonicalEvent)).toBe(true);
    expect(holdsEvent(valid.text, canonicalize(event(2)))).toBe(false);
    // A prefix of the event, cut where the text could go on as a record does.
    const nested = sealRecord({ ...parts, canonicalEvent: '{"a":1,"z":{}}' });
    expect(holdsEvent(nested.text, '{"a":1')).toBe(false);
    expect(holdsEvent(nested.text, '{"a":1,"z":{}}')).toBe(true);
  });
});

describe('readRecord', () => {
  const changed = (changes: object) => canonicalize({ ...JSON.parse(valid.text), ...changes });
  const by = (changes: object) => changed({ ingest: { ...ingest, ...changes } });

  it('reads what was sealed', () => {
    expect(readRecord(valid.text)).toEqual({
      event: event(1),
      ingest,
      ingested_at: parts.ingestedAt,
      previous_hash: zeroHash,
      record_version: '1',
      sequence_number: 1,
      tenant_id: 'acme',
    });
  });

  it.each([
    ['no JSON', valid.text.slice(1)],
    ['null', 'null'],
    ['an array', '[]'],
    ['a member too many', changed({ extra: 1 })],
    ['a member too few', changed({ tenant_id: undefined })],
    [
      'a member named after two',
      canonicalize({ ...JSON.parse(changed({ event: undefined, ingest: undefined })), 'event,ingest': {} }),
    ],
    ['another version', changed({ record_version: '2' })],
    ['a numeric version', changed({ record_version: 1 })],
    ['a negative sequence', changed({ sequence_number: -1 })],
    ['a fractional sequence', changed({ sequence_number: 0.5 })],
    ['a sequence past 2^53', changed({ sequence_number: 2 ** 53 })],
    ['a sequence in quotes', changed({ sequence_number: '1' })],
    ['a malformed tenant', changed({ tenant_id: 'a/b' })],
    ['an upper-case hash', changed({ previous_hash: 'A'.repeat(64) })],
    ['a short hash', changed({ previous_hash: 'a'.repeat(63) })],
    ['a hash with a line end', changed({ previous_hash: `${'a'.repeat(64)}\n` })],
    ['a time without milliseconds', changed({ ingested_at: '2026-03-01T12:00:00Z' })],
    ['a time that is a number', changed({ ingested_at: 1 })],
    ['an event that is an array', changed({ event: [] })],
    ['an event that is null', changed({ event: null })],
    ['ingest that is null', changed({ ingest: null })],
    ['an unknown member of ingest', by({ colour: 'red' })],
    ['a prototype name in ingest', by({ constructor: 1 })],
    ['a short nonce', by({ nonce: '0'.repeat(31) })],
    ['no nonce', by({ nonce: undefined })],
    ['no source', by({ source: undefined })],
    ['an unknown trust', by({ trust: 'toString' })],
    ['a principal that is null', by({ principal: null })],
    ['an upper-case producer', by({ producer_id: '00000000-0000-4000-8000-00000000000A' })],
    ['a producer sequence of 0', by({ producer_seq: 0 })],
    ['a producer sequence in quotes', by({ producer_seq: '1' })],
  ])('refuses %s', (_, text) => {
    expect(() => readRecord(text)).toThrow(expect.objectContaining({ code: 'RECORD_MALFORMED' }));
  });
});

describe('flattenRecord', () => {
  it('puts the members of the chain beside those of the event', () => {
    expect(flattenRecord(readRecord(valid.text), valid.hashHex)).toEqual({
      ...event(1),
      sequence_number: 1,
      previous_hash: zeroHash,
      record_hash: valid.hashHex,
      ingested_at: parts.ingestedAt,
      ingest,
    });
  });
});
