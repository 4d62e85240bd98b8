import type { ApprovalRules } from '@tallystick/protocol';
import type { EventItem } from '../batch.ts';
import { ownId } from './own-id.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** The types of records about minimum rules. */
export const rulesTypes: readonly string[] = ['audit.approval_rules_changed', 'audit.approval_rules_adopted'];

/** Which minimum rules: those of a tenant and an action. `*` stands for all. */
export interface RulesKey {
  readonly tenantId: string;
  readonly action: string;
}

/** `target_id` of the records about an entry. */
export function rulesTarget({ tenantId, action }: RulesKey): string {
  return `${tenantId} ${action}`;
}

/** Tenant whose chain records an entry: rules for all tenants are recorded in the chain of the service's tenant. */
export function rulesChain({ tenantId }: RulesKey, serviceTenant: string): string {
  return tenantId === '*' ? serviceTenant : tenantId;
}

/** An entry, the chain that records it, and the number of its change, from 1. */
export interface RulesChange extends RulesKey {
  readonly chain: string;
  readonly version: number;
}

/** The id with which the record of a change is chained. No client, and no login to the database, can compute it. */
export function rulesRecordId(change: RulesChange, secret: Uint8Array | undefined): string {
  return ownId(change.chain, derived(change), secret);
}

/**
 * The record of a change of minimum rules. Its id depends on the number of the change, and a chain has each id once: of two replicas that
 * make the same change, one counts again.
 *
 * @param rules absent where the entry was removed
 */
export function rulesChangedRecord(
  change: RulesChange,
  rules: ApprovalRules | undefined,
  { now, principal }: { readonly now: number; readonly principal: string },
): EventItem {
  return rulesEvent('audit.approval_rules_changed', change, now, {
    severity: 'warning',
    actor_type: 'service',
    actor_id: principal,
    context: rules === undefined ? {} : { rules },
    metadata: { version: change.version },
  });
}

/** The record of an entry of an earlier version, whose records have no number: it makes the entry the first change. */
export function rulesAdoptedRecord(
  change: RulesChange,
  row: { readonly rules: ApprovalRules; readonly updatedBy: string; readonly updatedAt: string },
  now: number,
): EventItem {
  return rulesEvent('audit.approval_rules_adopted', change, now, {
    context: { rules: row.rules },
    metadata: { version: change.version, updated_by: row.updatedBy, updated_at: row.updatedAt },
  });
}

function rulesEvent(
  eventType: string,
  change: RulesChange,
  now: number,
  fields: Partial<EventItem['event']>,
): EventItem {
  const item = serviceEvent({
    audit_id: derived(change),
    tenant_id: change.chain,
    timestamp: new Date(now).toISOString(),
    event_type: eventType,
    target_type: 'approval_rules',
    target_id: rulesTarget(change),
    outcome: { outcome_status: 'success' },
    ...fields,
  });
  return { ...item, firstWins: true };
}

function derived(change: RulesChange): string {
  return derivedId('approval-rules-change', rulesTarget(change), change.version);
}
