import type { Statement } from '../store/database.ts';
import type { EventItem } from './batch.ts';
import type { PendingEvent } from './merge-batches.ts';

/** Whether two events of one batch, with the same id, are the same event as it was sent. */
export function wereReceivedEqual(one: EventItem, other: EventItem): boolean {
  if (one.received !== undefined && other.received !== undefined) {
    return one.received.fingerprint === other.received.fingerprint;
  }
  return one.canonical === other.canonical;
}

const insertSql = `
  insert into audit_received_events (tenant_id, audit_id, fingerprint)
  select e.tenant_id, e.audit_id, decode(e.fingerprint, 'hex')
    from jsonb_to_recordset($1::jsonb) as e(tenant_id text, audit_id uuid, fingerprint text)
      on conflict (tenant_id, audit_id) do nothing`;

/** A batch deletes more old rows than it can add, so the table stays bounded by the events of 90 days. */
const pruneSql = `
  delete from audit_received_events e
   using (select tenant_id, audit_id from audit_received_events
           where received_at < clock_timestamp() - interval '90 days'
           order by received_at limit 4000 for update skip locked) old
   where e.tenant_id = old.tenant_id and e.audit_id = old.audit_id`;

/**
 * Stores the fingerprints of the events of a batch, in the transaction that chains them. A crash leaves both or none. When a row is
 * deleted, an event that is sent again is compared with the chained event.
 */
export function storeReceived(events: readonly PendingEvent[]): Statement[] {
  const rows = events.flatMap(({ item: { event, received } }) =>
    received === undefined
      ? []
      : [{ tenant_id: event.tenant_id, audit_id: event.audit_id, fingerprint: received.fingerprint }],
  );
  if (rows.length === 0) return [];
  return [
    { text: pruneSql, values: [] },
    { text: insertSql, values: [JSON.stringify(rows)] },
  ];
}
