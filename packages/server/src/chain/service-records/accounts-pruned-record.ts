import { uuidv7 } from '@tallystick/event';
import type { EventItem } from '../batch.ts';
import { serviceEvent } from './service-event.ts';

/** An account of a producer that has ended. */
export interface PrunedAccount {
  readonly submitter: string;
  readonly producer_id: string;
  readonly tenant_id: string;
  /** Its last number. All of them are settled. */
  readonly numbers: number;
  /** Whether the last number was declared. Of an ephemeral producer the end may be unknown. */
  readonly closed: boolean;
}

/**
 * The `audit.accounts_pruned` of these accounts.
 *
 * @param chain tenant of the chain that records it
 * @param now ms since the epoch
 */
export function accountsPrunedRecord(
  chain: string,
  accounts: readonly PrunedAccount[],
  now: number,
): EventItem {
  return serviceEvent({
    audit_id: uuidv7(now),
    tenant_id: chain,
    timestamp: new Date(now).toISOString(),
    event_type: 'audit.accounts_pruned',
    target_type: 'producers',
    target_id: chain,
    metadata: {
      count: accounts.length,
      // One text per account, because the number of an event's members is limited.
      accounts: accounts.map(
        ({ submitter, producer_id, tenant_id, numbers, closed }) =>
          `${producer_id} ${tenant_id} ${numbers} ${closed ? 'closed' : 'end-unknown'} ${submitter}`,
      ),
    },
  });
}
