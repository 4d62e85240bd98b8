import { limits, uuidv7Time } from '@tallystick/event';
import { holdsEvent } from '@tallystick/log';
import type { Receipt } from '@tallystick/protocol';
import type { Session } from '../store/database.ts';
import type { EventItem } from './batch.ts';

/** An event that the chain holds already. */
export interface Held {
  readonly receipt: Receipt;
  /** The record's bytes. */
  readonly text: string;
}

export function identity(tenantId: string, auditId: string): string {
  return `${tenantId}\n${auditId}`;
}

/** Whether the chain's record is of the very same event, not of another that claims its id. */
export function isSameEvent(held: Held, item: EventItem): boolean {
  return holdsEvent(held.text, item.canonical);
}

const lookupSql = `
  select k.tenant_id, r.audit_id::text as audit_id, r.epoch, r.sequence_number,
         encode(r.record_hash, 'hex') as record_hash, r.ingested_at, r.record
    from unnest($1::text[], $2::uuid[]) as k(tenant_id, audit_id)
    join audit_records r on r.tenant_id = k.tenant_id and r.audit_id = k.audit_id`;

/** Looks events up in every partition. */
export async function lookUpHeld(session: Session, items: readonly EventItem[]): Promise<Map<string, Held>> {
  const held = new Map<string, Held>();
  if (items.length === 0) return held;
  const rows = await session.query<{
    tenant_id: string;
    audit_id: string;
    epoch: number;
    sequence_number: number;
    record_hash: string;
    ingested_at: Date;
    record: string;
  }>(lookupSql, [items.map((item) => item.event.tenant_id), items.map((item) => item.event.audit_id)]);
  for (const { record, ingested_at, ...rest } of rows) {
    const receipt = { ...rest, ingested_at: ingested_at.toISOString() };
    held.set(identity(rest.tenant_id, rest.audit_id), { receipt, text: record });
  }
  return held;
}

/**
 * Whether an event could have been stored in an earlier month than the batch's, and so must be looked up; the batch's own
 * month is guarded by its unique index.
 *
 * A UUIDv7 carries its time, and admission refuses one dated more than an hour ahead. So one dated two hours or more
 * into this month was not there to be stored before the month began; the second hour is slack for clocks being set.
 */
export function mayBeOlder(auditId: string, monthStart: number, now: number): boolean {
  const time = uuidv7Time(auditId);
  return time === undefined || time < monthStart + 2 * limits.maxAheadMs || time > now + limits.maxAheadMs;
}
