import { type AuditEvent, canonicalize } from '@tallystick/event';
import { createGenesisRecord, type Ingest, type SealedRecord, sealRecord } from '../src/index.ts';

export const tenantId = 'acme';
export const origin = 'audit.example.com/acme/1';
export const ingest: Ingest = { nonce: '0'.repeat(32), source: 'http', trust: 'api-key', principal: 'key-1' };

export function event(number: number, changes: { [field: string]: unknown } = {}): AuditEvent {
  return {
    audit_id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    tenant_id: tenantId,
    timestamp: '2026-03-01T12:00:00.000Z',
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: `u-${number}`,
    source_service: 'cms',
    ...changes,
  } as AuditEvent;
}

export const ingestedAt = (second: number) => new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();

export const genesis = (changes: Partial<Parameters<typeof createGenesisRecord>[0]> = {}) =>
  createGenesisRecord({
    tenantId,
    origin,
    epoch: 1,
    ingestedAt: ingestedAt(0),
    nonce: 'f'.repeat(32),
    ...changes,
  });

/** A chain of `length` records, genesis included. */
export function chain(length: number): SealedRecord[] {
  const records: SealedRecord[] = [genesis()];
  while (records.length < length) records.push(after(records.at(-1)!, records.length));
  return records;
}

/** The record of sequence `number`, linked to another. */
export function after(
  previous: { readonly hashHex: string },
  number: number,
  changes: { readonly event?: AuditEvent; readonly ingestedAt?: string; readonly tenantId?: string } = {},
): SealedRecord {
  return sealRecord({
    canonicalEvent: canonicalize(changes.event ?? event(number)),
    ingest,
    ingestedAt: changes.ingestedAt ?? ingestedAt(number),
    previousHash: previous.hashHex,
    sequenceNumber: number,
    tenantId: changes.tenantId ?? tenantId,
  });
}
