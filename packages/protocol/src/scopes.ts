/** Every API key begins with it: `tally_<id>_<secret>`. Nothing else that users call a key does. */
export const apiKeyPrefix = 'tally_';

/** Every viewer token begins with it: `tally_view_<id>_<secret>`. */
export const viewerTokenPrefix = 'tally_view_';

/** What an API key may be allowed to do; {@link scopeMeanings} says it in words. */
export const scopes = [
  'events:write',
  'events:read',
  'events:read-sensitive',
  'log:read',
  'viewer-tokens:issue',
  'approvals:request',
  'approvals:decide',
  'admin',
] as const;

/** One of {@link scopes}. */
export type Scope = (typeof scopes)[number];

/** What each scope allows, for help texts and documentation. */
export const scopeMeanings: { readonly [scope in Scope]: string } = Object.freeze({
  'events:write': 'submit events',
  'events:read': 'read events that are not sensitive',
  'events:read-sensitive': 'with events:read: read sensitive events too',
  'log:read': 'read checkpoints, proofs and bundles',
  'viewer-tokens:issue':
    'with events:read and log:read: make tokens with which a browser reads a part of the trail',
  'approvals:request': 'request, use and withdraw approvals, and begin operations',
  'approvals:decide': 'grant and deny approvals; the key must be bound to a subject',
  admin:
    'manage keys, tenants, dead letters and the rules of approvals; implies all others but approvals:decide',
});
