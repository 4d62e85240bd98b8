/** A request for a new API key. */
export interface NewApiKey {
  /** For people: whose key it is. */
  readonly name: string;
  readonly scopes: readonly string[];
  /** Absent: every tenant. */
  readonly tenants?: readonly string[];
  /** RFC 3339; absent: never. */
  readonly expires_at?: string;
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
  readonly scopes: readonly string[];
  /** Absent: every tenant. */
  readonly tenants?: readonly string[] | undefined;
  readonly created_at: string;
  readonly expires_at?: string | undefined;
  readonly revoked_at?: string | undefined;
}
