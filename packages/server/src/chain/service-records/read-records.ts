import { uuidv7 } from '@tallystick/event';
import type { EventItem } from '../batch.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** Who reads the trail of which tenant. */
export interface Reading {
  readonly principal: string;
  readonly tenantId: string;
}

/**
 * The `audit.read` of a principal's reads within one window of time. Its id depends on the window and not on the single read, so
 * that all replicas together chain it once: the first one that writes it dates it.
 *
 * @param windowStart ms since the epoch
 * @param windowMs length of the window, ms
 * @param writtenAt when it is written, by the store's clock
 */
export function readRecord(
  reading: Reading,
  windowStart: number,
  windowMs: number,
  writtenAt: Date,
): EventItem {
  const { principal, tenantId } = reading;
  const item = trailEvent(reading, {
    audit_id: derivedId('audit.read', windowStart, `${tenantId}\n${principal}`),
    timestamp: writtenAt.toISOString(),
    event_type: 'audit.read',
    metadata: { window_seconds: windowMs / 1000 },
  });
  return { ...item, firstWins: true };
}

/**
 * The `audit.exported` of one export; every export has its own.
 *
 * @param writtenAt as of {@link readRecord}
 */
export function exportRecord(
  reading: Reading,
  writtenAt: Date,
  metadata: { readonly [fact: string]: unknown },
): EventItem {
  return trailEvent(reading, {
    audit_id: uuidv7(writtenAt.getTime()),
    timestamp: writtenAt.toISOString(),
    event_type: 'audit.exported',
    metadata,
  });
}

function trailEvent(
  { principal, tenantId }: Reading,
  fields: Omit<Parameters<typeof serviceEvent>[0], 'tenant_id'>,
): EventItem {
  return serviceEvent({
    tenant_id: tenantId,
    actor_type: 'service',
    actor_id: principal,
    target_type: 'trail',
    target_id: tenantId,
    ...fields,
  });
}
