import type { EventItem } from '../batch.ts';
import { type PrincipalAct, principalEvent } from './service-event.ts';

/** Which viewer token is changed, by whom and when. */
export interface ViewerTokenChange extends PrincipalAct {
  readonly id: string;
  /** Tenant whose trail the token shows. */
  readonly tenantId: string;
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
  change: ViewerTokenChange,
  facts: { readonly [fact: string]: unknown },
): EventItem {
  return principalEvent(change, {
    event_type: eventType,
    target_type: 'viewer_token',
    target_id: change.id,
    metadata: { tenant: change.tenantId, ...facts },
  });
}
