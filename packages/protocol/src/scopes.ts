/**
 * What an API key may be allowed to do.
 * - `events:write`: submit events.
 * - `events:read`: read events that are not sensitive. `events:read-sensitive`: read all events.
 * - `log:read`: read checkpoints, proofs and bundles.
 * - `approvals:request`: request, claim and withdraw approvals, and begin operations.
 * - `approvals:decide`: grant and deny approvals. The key must be bound to a subject.
 * - `admin`: manage keys, tenants and the rules of approvals, read and settle dead letters. It implies all others but
 *   `approvals:decide`: who runs the service must not approve what agents do by that alone.
 */
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
