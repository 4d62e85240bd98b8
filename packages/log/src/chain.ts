import { type AuditEvent, canonicalize } from '@tallystick/event';
import { LogError } from './errors.ts';
import { type Ingest, type SealedRecord, sealRecord } from './record.ts';

/** The newest record of a chain: what the next record links to. */
export interface ChainState {
  readonly tenantId: string;
  readonly lastSequence: number;
  /** Hex. */
  readonly lastHash: string;
}

/**
 * Seals an event as the next record of a chain.
 *
 * @throws {LogError} `CHAIN_STATE_INVALID` where the event belongs to another tenant
 */
export function chainEvent(
  event: AuditEvent,
  state: ChainState,
  context: { readonly ingest: Ingest; readonly ingestedAt: string },
): SealedRecord {
  if (event.tenant_id !== state.tenantId) {
    throw new LogError('CHAIN_STATE_INVALID', "the event belongs to another tenant's chain");
  }
  return sealRecord({
    canonicalEvent: canonicalize(event),
    ingest: context.ingest,
    ingestedAt: context.ingestedAt,
    previousHash: state.lastHash,
    sequenceNumber: state.lastSequence + 1,
    tenantId: state.tenantId,
  });
}
