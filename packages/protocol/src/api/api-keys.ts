import type { Scope } from '../scopes.ts';

/** A request for a new API key. */
export interface NewApiKey {
  /** A name by which people recognise the key. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Absent: every tenant. */
  readonly tenants?: readonly string[] | undefined;
  /** RFC 3339. Absent: the key does not expire. */
  readonly expires_at?: string | undefined;
  /** The person or agent who uses the key. Approvals compare subjects. Absent: the key stands for itself and can't decide approvals. */
  readonly subject?: string | undefined;
}

/** The new key. The service shows it only in this answer and stores its hash. */
export interface CreatedApiKey {
  readonly id: string;
  readonly key: string;
}

/** An API key without its secret. */
export interface ApiKeyInfo {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Absent: every tenant. */
  readonly tenants?: readonly string[] | undefined;
  readonly created_at: string;
  readonly expires_at?: string | undefined;
  readonly revoked_at?: string | undefined;
  readonly subject?: string | undefined;
}

/** All API keys, including revoked ones. */
export interface ApiKeyList {
  readonly api_keys: readonly ApiKeyInfo[];
}
