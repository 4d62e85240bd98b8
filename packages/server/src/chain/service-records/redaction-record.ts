import type { EventItem } from '../batch.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** A change of the rules by which the service redacts events. */
export interface RedactionChange {
  /** Digest of the rules before; `none` without redaction. */
  readonly previous: string;
  readonly digest: string;
  /** The rules themselves, so that a command without a setting of its own uses them. */
  readonly rules: { readonly [name: string]: unknown } | undefined;
  /** Hash of the record of the change before. Empty for the first one. */
  readonly after: string;
}

/** The `audit.redaction_changed` of a change. Replicas that start together write one record: the first wins. */
export function redactionRecord(change: RedactionChange, serviceTenant: string, now: number): EventItem {
  const { previous, digest, rules, after } = change;
  const item = serviceEvent({
    audit_id: derivedId('redaction-changed', serviceTenant, after, previous, digest),
    tenant_id: serviceTenant,
    timestamp: new Date(now).toISOString(),
    event_type: 'audit.redaction_changed',
    target_type: 'redaction',
    target_id: digest,
    metadata: { previous, digest, ...(rules !== undefined && { rules }) },
  });
  return { ...item, firstWins: true };
}
