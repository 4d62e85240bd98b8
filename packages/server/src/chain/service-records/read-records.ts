import { uuidv7 } from '@tallystick/event';
import type { EventItem } from '../batch.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** Who reads the trail of which tenant. */
export interface Reading {
  readonly principal: string;
  readonly tenantId: string;
}

/**
 * The `audit.read` of a principal's reads within one window of time. Its id and bytes depend on the window and not on the
 * single read, so that all replicas together chain it once.
 *
 * @param windowStart ms since the epoch
 * @param windowMs length of the window, ms
 */
export function readRecord(reading: Reading, windowStart: number, windowMs: number): EventItem {
  const { principal, tenantId } = reading;
  return trailEvent(reading, {
    audit_id: derivedId('audit.read', windowStart, `${tenantId}\n${principal}`),
    timestamp: new Date(windowStart).toISOString(),
    event_type: 'audit.read',
    metadata: { window_seconds: windowMs / 1000 },
  });
}

/** The `audit.exported` of one export; every export has its own. */
export function exportRecord(
  reading: Reading,
  now: number,
  metadata: { readonly [fact: string]: unknown },
): EventItem {
  return trailEvent(reading, {
    audit_id: uuidv7(now),
    timestamp: new Date(now).toISOString(),
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
