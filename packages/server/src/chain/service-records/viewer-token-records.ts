import { uuidv7 } from '@tallystick/event';
import type { EventItem } from '../batch.ts';
import { serviceEvent } from './service-event.ts';

/** Who changes a viewer token, when, and the tenant of the chain that records it. */
export interface ViewerTokenChange {
  readonly id: string;
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Tenant whose trail the token shows. */
  readonly tenantId: string;
  readonly chain: string;
}

/** The `audit.viewer_token_issued` of a token. `facts` say what it shows and until when; they contain no secret. */
export function viewerTokenIssuedRecord(
  change: ViewerTokenChange,
  facts: { readonly [fact: string]: unknown },
): EventItem {
  return tokenEvent('audit.viewer_token_issued', change, facts);
}

/** The `audit.viewer_token_revoked` of a token. A token that expires leaves no record: its end follows from its start. */
export function viewerTokenRevokedRecord(change: ViewerTokenChange): EventItem {
  return tokenEvent('audit.viewer_token_revoked', change, {});
}

function tokenEvent(
  eventType: string,
  { id, by, now, tenantId, chain }: ViewerTokenChange,
  facts: { readonly [fact: string]: unknown },
): EventItem {
  return serviceEvent({
    audit_id: uuidv7(now),
    tenant_id: chain,
    timestamp: new Date(now).toISOString(),
    event_type: eventType,
    actor_type: 'service',
    actor_id: by,
    target_type: 'viewer_token',
    target_id: id,
    metadata: { tenant: tenantId, ...facts },
  });
}
