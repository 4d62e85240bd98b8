import { canonicalize } from '@tallystick/event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChainFindingCode,
  ChainVerifier,
  type ChainVerifierOptions,
  type StoredRecord,
  verifyChain,
} from '../src/chain-verifier.ts';
import { computeRecordHash, type SealedRecord, zeroHash } from '../src/record.ts';
import { after, chain, event, genesis, ingestedAt, origin, tenantId } from './fixture.ts';

const records = chain(8);
/** As a store gives records: position and hash beside the bytes. */
const stored = (list: readonly SealedRecord[]): StoredRecord[] =>
  list.map((record, at) => ({ text: record.text, hashHex: record.hashHex, sequenceNumber: at }));
/** As a bundle gives them: bytes alone. */
const bare = (list: readonly SealedRecord[]): StoredRecord[] => list.map(({ text }) => ({ text }));
const find = (list: Iterable<StoredRecord>, options: Partial<ChainVerifierOptions> = {}) =>
  verifyChain(list, { tenantId, origin, ...options }).findings.map(
    (one) => `${one.code}@${one.sequence_number}`,
  );
const edit = (record: SealedRecord, from: string | RegExp, to: string): SealedRecord => {
  const text = record.text.replace(from, to);
  expect(text).not.toBe(record.text);
  return { text, hash: record.hash, hashHex: record.hashHex };
};

describe('a chain that holds together', () => {
  it.each([
    ['with the hashes of the store', stored(records)],
    ['from bytes alone', bare(records)],
  ])('has no findings, %s', (_, list) => {
    expect(verifyChain(list, { tenantId, origin })).toEqual({ verified: true, records: 8, findings: [] });
    const verifier = new ChainVerifier({ tenantId });
    for (const record of list) verifier.check(record);
    expect(verifier.nextSequence).toBe(8);
    expect(verifier.headHash).toBe(records[7]!.hashHex);
  });

  it('is verified from the middle, after a predecessor that the caller trusts', () => {
    const start = { after: { sequenceNumber: 4, hashHex: records[4]!.hashHex } };
    expect(find(bare(records.slice(5)), start)).toEqual([]);
    expect(find(bare(records.slice(5)), { after: { sequenceNumber: 4, hashHex: zeroHash } })).toEqual([
      'CHAIN_LINK_BROKEN@5',
    ]);
  });

  it('of nothing is not verified', () => {
    expect(verifyChain([], { tenantId })).toEqual({ verified: false, records: 0, findings: [] });
  });
});

describe('tampering is named and located', () => {
  const resealed = (at: number, changes: Parameters<typeof after>[2]) =>
    records.with(at, after(records[at - 1]!, at, changes));
  const cases: readonly (readonly [string, readonly StoredRecord[], readonly string[]])[] = [
    [
      'an edited record',
      stored(records.with(3, edit(records[3]!, 'u-3', 'u-9'))),
      ['RECORD_HASH_MISMATCH@3'],
    ],
    [
      'an edited record, bytes alone',
      bare(records.with(3, edit(records[3]!, 'u-3', 'u-9'))),
      ['CHAIN_LINK_BROKEN@4'],
    ],
    [
      'an edited record with a fresh hash',
      stored(resealed(3, { event: event(3, { actor_id: 'mallory' }) })),
      ['CHAIN_LINK_BROKEN@4'],
    ],
    [
      'bytes with a space more, and the hash that fits',
      bare(records.with(7, edit(records[7]!, ',"ingest"', ', "ingest"'))),
      ['RECORD_NOT_CANONICAL@7'],
    ],
    [
      'a duplicate member that a lax parser would not see',
      bare(records.with(7, edit(records[7]!, '{"event":{', '{"event":{"actor_id":"u-9",'))),
      ['RECORD_NOT_CANONICAL@7'],
    ],
    [
      'a duplicate member that would be read as another position or tenant',
      bare(
        records.with(7, edit(records[7]!, '"tenant_id":"acme"}', '"tenant_id":"acme","tenant_id":"other"}')),
      ),
      ['RECORD_NOT_CANONICAL@7'],
    ],
    [
      'bytes that are no record',
      bare([...records, { ...records[7]!, text: '{}' }]),
      ['RECORD_NOT_CANONICAL@8'],
    ],
    ['a deleted record', bare(records.toSpliced(4, 1)), ['SEQUENCE_GAP@5']],
    ['a deleted record, position and all', stored(records).toSpliced(4, 1), ['SEQUENCE_GAP@5']],
    ['a deleted genesis', bare(records.slice(1)), ['SEQUENCE_GAP@1']],
    ['a record put in twice', bare(records.toSpliced(4, 0, records[3]!)), ['SEQUENCE_DUPLICATE@3']],
    [
      'two records swapped',
      bare(records.with(3, records[4]!).with(4, records[3]!)),
      ['SEQUENCE_GAP@4', 'SEQUENCE_DUPLICATE@3', 'TIME_REGRESSION@3', 'SEQUENCE_GAP@5'],
    ],
    [
      'two rows swapped under their old positions',
      stored(records.with(3, records[4]!).with(4, records[3]!)),
      [
        'SEQUENCE_GAP@3',
        'CHAIN_LINK_BROKEN@3',
        'SEQUENCE_GAP@4',
        'CHAIN_LINK_BROKEN@4',
        'TIME_REGRESSION@4',
        'CHAIN_LINK_BROKEN@5',
      ],
    ],
    [
      'a record of another chain',
      stored(resealed(7, { tenantId: 'other', event: event(7, { tenant_id: 'other' }) })),
      ['TENANT_MISMATCH@7'],
    ],
    [
      'an event of another tenant',
      stored(resealed(7, { event: event(7, { tenant_id: 'other' }) })),
      ['TENANT_MISMATCH@7'],
    ],
    [
      'an event whose tenant is an object that can not even be written as text',
      stored(resealed(7, { event: event(7, { tenant_id: { toString: 1, valueOf: 1 } }) })),
      ['TENANT_MISMATCH@7'],
    ],
    ['a clock set back', stored(resealed(7, { ingestedAt: ingestedAt(5) })), ['TIME_REGRESSION@7']],
    [
      'a second genesis',
      stored(resealed(7, { event: event(7, { event_type: 'system.genesis' }) })),
      ['GENESIS_INVALID@7'],
    ],
    ['no genesis', bare([after({ hashHex: zeroHash }, 0)]), ['GENESIS_INVALID@0']],
    [
      'a genesis of another epoch',
      bare([genesis({ origin: 'audit.example.com/acme/2', epoch: 2 })]),
      ['GENESIS_INVALID@0'],
    ],
    ['a genesis of another log', bare([genesis({ origin: 'evil.example/acme/1' })]), ['GENESIS_INVALID@0']],
    [
      'a genesis with a predecessor',
      bare([{ ...genesis(), text: genesis().text.replace(zeroHash, '1'.repeat(64)) }]),
      ['CHAIN_LINK_BROKEN@0', 'GENESIS_INVALID@0'],
    ],
  ];

  it.each(cases)('%s', (_, list, findings) => {
    expect(find(list)).toEqual(findings);
    expect(verifyChain(list, { tenantId, origin }).verified).toBe(false);
  });

  it('with every code there is', () => {
    const codes: Record<ChainFindingCode, true> = {
      RECORD_HASH_MISMATCH: true,
      RECORD_NOT_CANONICAL: true,
      CHAIN_LINK_BROKEN: true,
      SEQUENCE_GAP: true,
      SEQUENCE_DUPLICATE: true,
      GENESIS_INVALID: true,
      TENANT_MISMATCH: true,
      TIME_REGRESSION: true,
    };
    const reached = new Set(
      cases.flatMap(([, , findings]) => findings.map((finding) => finding.split('@')[0])),
    );
    expect([...reached].toSorted()).toEqual(Object.keys(codes).toSorted());
  });

  it('whatever single character of a chain is changed', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 7 }),
        fc.nat(),
        fc.constantFrom('0', 'a', '"', '}', ' '),
        (at, seed, unit) => {
          const { text } = records[at]!;
          const place = seed % text.length;
          const changed = text.slice(0, place) + unit + text.slice(place + 1);
          fc.pre(changed !== text);
          const list = stored(records).with(at, { ...stored(records)[at]!, text: changed });
          expect(find(list)).toContain(`RECORD_HASH_MISMATCH@${at}`);
          // Without the store's hash the successor's link tells, so all but the last record are covered.
          if (at < 7) expect(find(bare(records).with(at, { text: changed }))).not.toEqual([]);
        },
      ),
    );
  });

  it('and never with the hash that would let a forgery pass', () => {
    const forged = edit(records[3]!, 'u-3', 'u-9');
    const { findings } = verifyChain(stored(records.with(3, forged)), { tenantId });
    expect(findings).toEqual([
      { code: 'RECORD_HASH_MISMATCH', sequence_number: 3, expected: records[3]!.hashHex },
    ]);
    expect(JSON.stringify(findings)).not.toContain(computeRecordHash(forged.text));
  });

  it('with what was expected and what was found', () => {
    const { findings } = verifyChain(stored(resealed(7, { event: event(7, { tenant_id: 'other' }) })), {
      tenantId,
    });
    expect(findings).toEqual([
      { code: 'TENANT_MISMATCH', sequence_number: 7, expected: 'acme', found: 'other' },
    ]);
  });

  it('for each forged record, not only for the first', () => {
    const forged = records.with(2, edit(records[2]!, 'u-2', 'u-9')).with(5, edit(records[5]!, 'u-5', 'u-9'));
    expect(find(stored(forged))).toEqual(['RECORD_HASH_MISMATCH@2', 'RECORD_HASH_MISMATCH@5']);
  });

  it('without a throw for bytes nested deeper than the stack', () => {
    const depth = 100_000;
    const text = canonicalize({
      ...JSON.parse(records[1]!.text),
      event: { tenant_id: tenantId, x: 0 },
    }).replace('"x":0', `"x":${'['.repeat(depth)}${']'.repeat(depth)}`);
    expect(find(bare([records[0]!, { ...records[1]!, text }]))).toEqual(['RECORD_NOT_CANONICAL@1']);
  });
});
