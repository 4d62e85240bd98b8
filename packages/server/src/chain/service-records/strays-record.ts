import type { EventItem } from '../batch.ts';
import { principalEvent } from './service-event.ts';

/** A row that did not belong to a chain and was removed. */
export interface RemovedStray {
  readonly tenant_id: string;
  readonly kind: 'record' | 'tile' | 'epoch';
  readonly epoch: number;
  /** The sequence number of a record, `level/index` of a tile, the last position of an epoch. */
  readonly place: string;
  readonly audit_id: string | null;
  readonly reason: string;
  /** SHA-256 of the removed bytes, hex. */
  readonly content_sha256: string;
}

/**
 * The `audit.strays_removed` of rows of one tenant that were removed for one reason.
 *
 * @param tenantId of the chain that gets the record
 * @param by principal of the operator
 * @param now ms since the epoch
 */
export function straysRecord(
  tenantId: string,
  strays: readonly RemovedStray[],
  { by, now }: { readonly by: string; readonly now: number },
): EventItem {
  const { tenant_id, reason } = strays[0]!;
  return principalEvent(
    { by, now, chain: tenantId },
    {
      event_type: 'audit.strays_removed',
      severity: 'critical',
      target_type: 'trail',
      target_id: tenant_id,
      metadata: {
        count: strays.length,
        reason,
        // One text per row: the number of an event's members is limited, and there may be many rows.
        rows: strays.map(({ kind, epoch, place, audit_id, content_sha256 }) =>
          [
            kind,
            `epoch ${epoch}`,
            place,
            ...(audit_id === null ? [] : [audit_id]),
            `sha256:${content_sha256}`,
          ].join(' '),
        ),
      },
    },
  );
}
