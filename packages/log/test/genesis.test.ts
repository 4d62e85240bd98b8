import { canonicalize, findViolations } from '@tallystick/event';
import { describe, expect, it } from 'vitest';
import { readGenesis } from '../src/genesis.ts';
import { readRecord, zeroHash } from '../src/record.ts';
import { genesis, origin, tenantId } from './fixture.ts';

describe('a genesis record', () => {
  it('binds origin, epoch and the names of what it is made with', () => {
    const record = readRecord(genesis().text);
    expect(record).toMatchObject({ sequence_number: 0, previous_hash: zeroHash, tenant_id: tenantId });
    expect(record.ingest).toEqual({ nonce: 'f'.repeat(32), source: 'service', trust: 'service' });
    expect(readGenesis(record)).toEqual({
      origin,
      epoch: 1,
      hash: 'SHA-256',
      canonicalization: 'RFC 8785',
      tree: 'RFC 6962',
      record_version: '1',
    });
  });

  it('is a valid event, though only of the service', () => {
    const now = Date.UTC(2027, 0);
    expect(findViolations(genesis().event, { now, allowReserved: true })).toEqual([]);
    expect(findViolations(genesis().event, { now })).toMatchObject([
      { code: 'EVENT_TYPE_RESERVED' },
      { code: 'ACTOR_RESERVED' },
    ]);
  });

  it('has one identity an origin, so that a race for it makes one', () => {
    const again = genesis({ nonce: '1'.repeat(32), ingestedAt: '2027-01-01T00:00:00.000Z' });
    expect(again.event.audit_id).toBe(genesis().event.audit_id);
    const other = genesis({ origin: 'audit.example.com/acme/2', epoch: 2 });
    expect(other.event.audit_id).not.toBe(genesis().event.audit_id);
  });

  it('of a later epoch says what was recovered', () => {
    const recovery = { checkpoint: 'audit.example.com/acme/1\n…', reason: 'restored from a backup' };
    const record = readRecord(genesis({ origin: 'audit.example.com/acme/2', epoch: 2, recovery }).text);
    expect(readGenesis(record)).toMatchObject({ epoch: 2, recovery });
  });
});

describe('readGenesis refuses', () => {
  const record = JSON.parse(genesis().text);
  const inEvent = (changes: object) => ({ event: { ...record.event, ...changes } });
  const bound = (changes: object) => inEvent({ metadata: { ...record.event.metadata, ...changes } });

  it.each([
    ['another sequence', { sequence_number: 1 }],
    ['a predecessor', { previous_hash: '1'.repeat(64) }],
    ['another type', inEvent({ event_type: 'system.started' })],
    ['another actor', inEvent({ actor_type: 'user' })],
    ['an event of another tenant', inEvent({ tenant_id: 'other' })],
    ['no metadata', inEvent({ metadata: undefined })],
    ['metadata that is null', inEvent({ metadata: null })],
    ['metadata that is a string', inEvent({ metadata: 'origin' })],
    ['another hash', bound({ hash: 'SHA-1' })],
    ['another canonicalisation', bound({ canonicalization: 'none' })],
    ['another tree', bound({ tree: undefined })],
    ['another record version', bound({ record_version: '2' })],
    ['an origin that is no text', bound({ origin: 1 })],
    ['an epoch that is no integer', bound({ epoch: '1' })],
    // A genesis at odds with itself once passed, so that a chain could claim an epoch that its keys do not name.
    ['an epoch other than the origin names', bound({ epoch: 2 })],
    ["another tenant's origin", bound({ origin: 'audit.example.com/other/1' })],
    ['an origin without its parts', bound({ origin: 'acme' })],
  ])('%s', (_, changes) => {
    const text = canonicalize({ ...record, ...changes });
    expect(() => readGenesis(readRecord(text))).toThrow(
      expect.objectContaining({ code: 'RECORD_MALFORMED' }),
    );
  });
});
