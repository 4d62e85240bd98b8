import { speaksForService } from '@tallystick/event';
import { type AuditRecord, flattenRecord } from '@tallystick/log';

/** A record as lists and exports show it. */
export interface ShownRecord {
  readonly [field: string]: unknown;
}

/**
 * What a list or an export shows of a record, from the record alone.
 *
 * @param hash of the record's bytes, hex
 */
export function shownRecord(record: AuditRecord, hash: string, epoch: number): ShownRecord {
  // A type or an actor of the service itself, which a client submitted: it is the word of that client.
  const isClaimed = speaksForService(record.event) && record.ingest.trust !== 'service';
  return { ...flattenRecord(record, hash), epoch, ...(isClaimed && { claimed: true }) };
}
