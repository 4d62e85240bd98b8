import { type AuditEvent, canonicalize, uuidv7 } from '@tallystick/event';
import type { EventItem, ItemIngest, ItemOutcome } from '../src/chain/batch.ts';

/** Name of the log in every test of this package. */
export const logName = 'audit.test';

let made = 0;

/** A tenant that no other test has. */
export function newTenant(name = 'tenant'): string {
  return `${name}-${process.pid}-${++made}`;
}

export function anEvent(tenantId: string, fields: Partial<AuditEvent> = {}): AuditEvent {
  return {
    audit_id: uuidv7(),
    tenant_id: tenantId,
    timestamp: '2026-01-02T03:04:05.678Z',
    event_type: 'access.granted',
    actor_type: 'user',
    actor_id: 'alice',
    source_service: 'test',
    ...fields,
  };
}

export const ingest: ItemIngest = { source: 'test', trust: 'operator' };

/** An admitted event, in the form that the writer expects. */
export function anItem(tenantId: string, fields: Partial<AuditEvent> = {}): EventItem {
  return itemOf(anEvent(tenantId, fields));
}

export function itemOf(event: AuditEvent): EventItem {
  return { event, canonical: canonicalize(event), ingest };
}

export function items(count: number, tenantId: string, fields: Partial<AuditEvent> = {}): EventItem[] {
  return Array.from({ length: count }, () => anItem(tenantId, fields));
}

/** Statuses of a batch's outcomes, in order. */
export function statuses(outcomes: readonly (ItemOutcome | undefined)[]): (string | undefined)[] {
  return outcomes.map((outcome) => outcome?.status);
}

/** The receipt of an outcome that must have one. */
export function receiptOf(outcome: ItemOutcome | undefined) {
  if (outcome === undefined || !('receipt' in outcome)) throw new Error(`no receipt: ${outcome?.status}`);
  return outcome.receipt;
}

export function deadLetterOf(outcome: ItemOutcome | undefined) {
  if (outcome === undefined || !('deadLetter' in outcome))
    throw new Error(`no dead letter: ${outcome?.status}`);
  return outcome.deadLetter;
}
