/** The process is alive. */
export interface Health {
  readonly status: 'ok';
  readonly version: string;
}

/** Whether the service can chain events. */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'unavailable';
  readonly reasons: readonly string[];
  /** Number of chains that are stopped because they contradict what was signed. */
  readonly stopped_chains: number;
  /** The reason for each stopped chain, by tenant; only for a key with the scope `admin` for every tenant. */
  readonly stopped?: { readonly [tenantId: string]: string } | undefined;
}
