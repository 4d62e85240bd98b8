import { type AuditEvent, canonicalize, uuidv8FromDigest } from '@tallystick/event';
import { sha256 } from '#sha256';
import { parseOrigin } from './checkpoint.ts';
import type { ClosedEpochText } from './closed-epochs.ts';
import { LogError } from './errors.ts';
import { type AuditRecord, recordVersion, type SealedRecord, sealRecord, zeroHash } from './record.ts';

/** Why a chain began again in a new epoch, and what was left of the epochs before. */
export interface Recovery {
  /** The last signed checkpoint of the epoch before, as a note. */
  readonly checkpoint: string;
  readonly reason: string;
  /** All epochs before, newest first. */
  readonly closed?: readonly ClosedEpochText[];
}

/** What goes into a chain's first record. */
export interface GenesisOptions {
  readonly tenantId: string;
  /** Origin of the chain's log: see `formatOrigin`. */
  readonly origin: string;
  readonly epoch: number;
  /** RFC 3339 UTC with milliseconds. */
  readonly ingestedAt: string;
  /** 128 random bits, hex. */
  readonly nonce: string;
  /** For an epoch after the first: why the chain began again. */
  readonly recovery?: Recovery;
  /** The record's id, where another event already uses the derived one. @defaultValue derived from the origin */
  readonly auditId?: string;
}

/** What a genesis record fixes for its chain: no record can be moved to another log, epoch or hash function. */
export interface GenesisBinding {
  readonly origin: string;
  readonly epoch: number;
  readonly hash: string;
  readonly canonicalization: string;
  readonly tree: string;
  readonly record_version: string;
}

const names = {
  hash: 'SHA-256',
  canonicalization: 'RFC 8785',
  tree: 'RFC 6962',
  record_version: recordVersion,
};

/** The genesis record of a chain: sequence 0, `previous_hash` 64 zeros, `event_type` `system.genesis`. */
export function createGenesisRecord(options: GenesisOptions): SealedRecord & { readonly event: AuditEvent } {
  const { tenantId, origin, epoch, ingestedAt, nonce, recovery, auditId } = options;
  const event: AuditEvent = {
    // Derived: writers that race to begin the chain make the same id.
    audit_id: auditId ?? genesisAuditId(origin),
    tenant_id: tenantId,
    timestamp: ingestedAt,
    event_type: 'system.genesis',
    event_category: 'system',
    actor_type: 'system',
    actor_id: 'tallystick',
    source_service: 'tallystick',
    metadata: { ...names, origin, epoch, ...(recovery !== undefined && { recovery }) },
  };
  const sealed = sealRecord({
    canonicalEvent: canonicalize(event),
    ingest: { nonce, source: 'service', trust: 'service' },
    ingestedAt,
    previousHash: zeroHash,
    sequenceNumber: 0,
    tenantId,
  });
  return { ...sealed, event };
}

/** The id of a genesis record: a UUIDv8 of the first 16 bytes of a hash of its origin (spec/record.md). */
export function genesisAuditId(origin: string): string {
  return uuidv8FromDigest(sha256(`tallystick/genesis/v1\0${origin}`));
}

/**
 * Reads what a genesis record fixes.
 *
 * @throws {LogError} `RECORD_MALFORMED` where the record is not a genesis record of version 1
 */
export function readGenesis(record: AuditRecord): GenesisBinding & { readonly recovery?: unknown } {
  const { event } = record;
  const metadata = event.metadata as Record<string, unknown> | undefined;
  const valid =
    record.sequence_number === 0 &&
    record.previous_hash === zeroHash &&
    event.event_type === 'system.genesis' &&
    event.actor_type === 'system' &&
    event.tenant_id === record.tenant_id &&
    typeof metadata === 'object' &&
    metadata !== null &&
    typeof metadata.origin === 'string' &&
    namesChain(metadata.origin, record.tenant_id, metadata.epoch) &&
    Object.entries(names).every(([name, value]) => metadata[name] === value);
  if (!valid) throw new LogError('RECORD_MALFORMED', 'not a genesis record');
  return metadata as unknown as GenesisBinding & { recovery?: unknown };
}

/** Whether an origin names this tenant and epoch: a genesis record must not contradict itself. */
function namesChain(origin: string, tenantId: string, epoch: unknown): boolean {
  try {
    const named = parseOrigin(origin);
    return named.tenantId === tenantId && named.epoch === epoch;
  } catch {
    return false;
  }
}
