/** A tenant for which a follower does not go on until an operator acts. */
export interface StoppedFollower {
  readonly tenant_id: string;
  readonly code: string;
  /** What was found, and the next step. */
  readonly reason: string;
  readonly epoch: number;
  /** The last record that was read; -1: none. */
  readonly sequence_number: number;
  readonly stopped_at: string;
}

/** A part of the service that reads every chain and keeps something derived from it. */
export interface FollowerInfo {
  readonly name: string;
  /** Where its effect is: in rows of the same database, or outside. */
  readonly effect: 'database' | 'outside';
  readonly state: 'running' | 'paused' | 'rebuilding';
  /** While it is rebuilt: records that the new rows do not cover yet. Readers use the rows before it meanwhile. */
  readonly rebuild_records_left?: number | undefined;
  /** Who paused it. */
  readonly paused_by: string | null;
  /** Records that it has not read, without those of tenants for which it has stopped. */
  readonly lag_records: number;
  /** Age of the oldest of them. */
  readonly lag_seconds: number;
  /** Tenants that it has not read to the head. */
  readonly lag_tenants: number;
  /** Number of tenants for which it has stopped. */
  readonly stopped_tenants: number;
  /** The first hundred of them. */
  readonly stopped: readonly StoppedFollower[];
}

/** All followers of the service's version. */
export interface FollowerList {
  readonly followers: readonly FollowerInfo[];
}

/** What an operator wants of a follower. */
export interface FollowerChange {
  readonly action: 'pause' | 'resume' | 'reset';
  /** Only for this tenant; not for a pause. */
  readonly tenant_id?: string | undefined;
}
