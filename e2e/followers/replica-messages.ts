import type { AuditServiceOptions } from '@tallystick/server';

/** A replica of the service, as the campaign starts it. */
export interface ReplicaConfig {
  readonly databaseUrl: string;
  readonly signerDirectory: string;
  readonly logName: string;
  readonly openIntents: AuditServiceOptions['openIntents'];
}

/** Where a replica kills or freezes itself: at this stage of a visit of a tenant. */
export interface Failpoint {
  /** Counts visits of this follower. @defaultValue visits of all followers */
  readonly follower?: string;
  /** The visit, of those that come to the stage from now on. @defaultValue 1 */
  readonly visit?: number;
  readonly stage: 'read' | 'applied' | 'committed';
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}
