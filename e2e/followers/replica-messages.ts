import type { AuditServiceOptions } from '@tallystick/server';

/** A replica of the service, as the campaign starts it. */
export interface ReplicaConfig {
  readonly databaseUrl: string;
  readonly signerDirectory: string;
  readonly logName: string;
  readonly openIntents: AuditServiceOptions['openIntents'];
}

/** Where a replica kills or freezes itself: at this stage of its next visit of a tenant. */
export interface Failpoint {
  readonly stage: 'read' | 'applied' | 'committed';
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}
