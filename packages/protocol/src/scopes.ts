/**
 * What an API key may be allowed to do.
 * - `events:write`: submit events.
 * - `events:read`: read events that are not sensitive. `events:read-sensitive`: read all events.
 * - `log:read`: read checkpoints, proofs and bundles.
 * - `admin`: manage keys and tenants, read and settle dead letters. It implies all others.
 */
export const scopes = ['events:write', 'events:read', 'events:read-sensitive', 'log:read', 'admin'] as const;

/** One of {@link scopes}. */
export type Scope = (typeof scopes)[number];
