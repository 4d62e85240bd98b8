import { createHash } from 'node:crypto';
import { canonicalize } from '@tallystick/event';
import {
  createGenesisRecord,
  createVerifier,
  formatCheckpoint,
  formatVerifierKey,
  importSigningKey,
  type Recovery,
  type SealedRecord,
  type SigningKey,
  sealRecord,
  signNote,
} from '@tallystick/log';

/** Replaces random bytes in the vectors: the digest of a label. */
export const digest = (label: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(`tallystick vectors ${label}`).digest());
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export const tenant = 'acme';
export const origin = 'audit.example.com/acme/1';
export const logKey = await importSigningKey(digest('log key'));
export const otherKey = await importSigningKey(digest('other key'));
export const verifierKey = (name: string, key: SigningKey): string =>
  formatVerifierKey(createVerifier(name, key.publicKey));
export const trusted = verifierKey(origin, logKey);

export const time = (second: number): string => new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();

export type Fields = { readonly [field: string]: unknown };

export function event(number: number, changes: Fields = {}): Fields {
  return {
    audit_id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    tenant_id: tenant,
    timestamp: '2026-03-01T12:00:00.000Z',
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: `u-${number}`,
    source_service: 'cms',
    ...changes,
  };
}

/** Little more than the fields that the chain verifier reads. Most records have such an event, to keep the vectors small. */
export const briefEvent = (number: number): Fields => ({
  tenant_id: tenant,
  event_type: 'content.publish',
  actor_id: `u-${number}`,
});

export interface RecordChanges {
  readonly event?: Fields;
  readonly ingestedAt?: string;
  readonly tenantId?: string;
  readonly previousHash?: string;
}

export function genesis(
  options: { origin?: string; epoch?: number; recovery?: Recovery } = {},
): SealedRecord {
  return createGenesisRecord({
    tenantId: tenant,
    origin: options.origin ?? origin,
    epoch: options.epoch ?? 1,
    ingestedAt: time(0),
    nonce: hex(digest('nonce 0').slice(0, 16)),
    ...(options.recovery !== undefined && { recovery: options.recovery }),
  });
}

export function record(number: number, previousHash: string, changes: RecordChanges = {}): SealedRecord {
  return sealRecord({
    canonicalEvent: canonicalize(changes.event ?? briefEvent(number)),
    ingest: {
      nonce: hex(digest(`nonce ${number}`).slice(0, 16)),
      source: 'http',
      trust: 'api-key',
      principal: 'k-1',
    },
    ingestedAt: changes.ingestedAt ?? time(number),
    previousHash: changes.previousHash ?? previousHash,
    sequenceNumber: number,
    tenantId: changes.tenantId ?? tenant,
  });
}

/** A chain of `length` records. `changes` has the changes of some records, by their position. */
export function chain(
  length: number,
  changes: { readonly [sequence: number]: RecordChanges } = {},
  first: SealedRecord = genesis(),
): SealedRecord[] {
  const records = [first];
  while (records.length < length) {
    const number = records.length;
    records.push(record(number, records.at(-1)!.hashHex, changes[number]));
  }
  return records;
}

/** A signed checkpoint. */
export function checkpoint(
  size: number,
  root: Uint8Array,
  options: { readonly origin?: string; readonly name?: string; readonly keys?: readonly SigningKey[] } = {},
): Promise<string> {
  const own = options.origin ?? origin;
  const keys = options.keys ?? [logKey];
  return signNote(
    formatCheckpoint({ origin: own, size, root }),
    keys.map((key) => ({ name: options.name ?? own, key })),
  );
}

/** `bytes` with one bit changed. */
export const flip = (bytes: Uint8Array, bit = 0): Uint8Array =>
  bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));

/** A signed note whose last signature has one bit changed. */
export function forge(note: string): string {
  const at = note.lastIndexOf(' ') + 1;
  return `${note.slice(0, at)}${base64(flip(new Uint8Array(Buffer.from(note.slice(at), 'base64')), 300))}\n`;
}
