/**
 * Filters of a viewer token, by the names of the parameters of a list of events, also with `not.` before them: `actor`, `not.severity`,
 * `metadata.customer`. Several values of one filter mean any of them. Ranges of times and numbers are not filters of tokens.
 */
export interface ViewerFilters {
  readonly [parameter: string]: string | boolean | readonly (string | boolean)[];
}

/** A request for a viewer token: a credential for a browser that reads a part of one tenant's trail. */
export interface NewViewerToken {
  /** May be omitted if the API key is for exactly one tenant. */
  readonly tenant_id?: string | undefined;
  /** The token shows only records that match all of these. @defaultValue every record that viewer tokens can show */
  readonly filters?: ViewerFilters | undefined;
  /** How long the token works, seconds: 60 to 3600. @defaultValue 900 */
  readonly expires_in?: number | undefined;
  /**
   * Whether the token also reads the bytes of records, which a browser needs to check their hashes. The bytes contain the ingest details.
   *
   * @defaultValue true
   */
  readonly include_records?: boolean | undefined;
  /** Whether events show how and by whom they were submitted (`ingest`). @defaultValue false */
  readonly include_ingest?: boolean | undefined;
}

/** A viewer token without its secret. */
export interface ViewerTokenInfo {
  readonly id: string;
  readonly tenant_id: string;
  readonly filters: ViewerFilters;
  readonly include_records: boolean;
  readonly include_ingest: boolean;
  /** `key:<id>`: the API key that made the token, and with which it ends. */
  readonly issued_by: string;
  readonly created_at: string;
  readonly expires_at: string;
}

/** The new token. The service shows it only in this answer. */
export interface CreatedViewerToken extends ViewerTokenInfo {
  readonly token: string;
}

/** Viewer tokens that work at the moment, of the tenants of the caller, the newest first. */
export interface ViewerTokenPage {
  readonly viewer_tokens: readonly ViewerTokenInfo[];
  /** Absent on the last page. */
  readonly next_cursor?: string | undefined;
}

/** What a viewer token shows about itself. It does not show its filters. */
export interface ViewerTokenState {
  readonly tenant_id: string;
  readonly include_records: boolean;
  readonly include_ingest: boolean;
  readonly expires_at: string;
}
