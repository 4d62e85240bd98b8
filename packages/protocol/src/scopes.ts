/** Every API key begins with it: `tally_<id>_<secret>`. Nothing else that users call a key does. */
export const apiKeyPrefix = 'tally_';

/** What an API key may be allowed to do; {@link scopeMeanings} says it in words. */
export const scopes = [
  'events:write',
  'events:read',
  'events:read-sensitive',
  'log:read',
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
  'approvals:request': 'request, use and withdraw approvals, and begin operations',
  'approvals:decide': 'grant and deny approvals; the key must be bound to a subject',
  admin:
    'manage keys, tenants, dead letters and the rules of approvals; implies all others but approvals:decide',
});
