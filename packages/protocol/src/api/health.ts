/** The process is alive. */
export interface Health {
  readonly status: 'ok';
  readonly version: string;
}

/** How far a follower is. It is information: a follower that is behind does not keep the service from chaining events. */
export interface FollowerReadiness {
  readonly name: string;
  readonly state: 'running' | 'paused' | 'rebuilding';
  /** Records that it has not read, without those of tenants for which it has stopped. */
  readonly lag_records: number;
  /** Age of the oldest of them. */
  readonly lag_seconds: number;
  /** Number of tenants for which it has stopped. */
  readonly stopped_tenants: number;
}

/** Whether the service can chain events. */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'unavailable';
  readonly reasons: readonly string[];
  /** Number of chains that are stopped because they contradict what was signed. */
  readonly stopped_chains: number;
  /** How far each follower that runs in this process is, as of its last comparison with the chains; absent if none runs here. */
  readonly followers?: readonly FollowerReadiness[] | undefined;
  /** The reason for each stopped chain, by tenant; only for a key with the scope `admin` for every tenant. */
  readonly stopped?: { readonly [tenantId: string]: string } | undefined;
}
