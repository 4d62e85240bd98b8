import type { MembershipState } from '../../kafka-client/group/membership-state.ts';
import type { PartitionIngest } from './partition/partition-ingest.ts';
import type { IngestStop } from './status.ts';

export interface IngestHealth {
  readonly stopped: IngestStop | undefined;
  /** Assignments of partitions that this replica has got. */
  readonly rebalances: number;
  readonly membership: {
    readonly state: MembershipState['name'];
    readonly unconfirmedMs: number;
    readonly problem: string | undefined;
  };
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly partitions: Iterable<Pick<PartitionIngest, 'status' | 'storeFailure'>>;
}

/** Reasons why messages are not stored now; empty if there are none. */
export function findNotReadyReasons(health: IngestHealth): string[] {
  const { stopped, rebalances, membership, sessionTimeoutMs, rebalanceTimeoutMs, partitions } = health;
  if (stopped !== undefined) return [`${stopped.code}: ${stopped.message}`];
  const found: string[] = [];
  const { state, unconfirmedMs, problem } = membership;
  const allowedMs = sessionTimeoutMs + (state === 'stable' ? 0 : rebalanceTimeoutMs);
  const reason = problem === undefined ? '' : `: ${problem}`;
  if (rebalances === 0) {
    found.push(`Kafka: this replica is not a member of its group yet${reason}`);
  } else if (unconfirmedMs > allowedMs) {
    const seconds = Math.round(unconfirmedMs / 1_000);
    found.push(`Kafka: the coordinator of the group has not answered for ${seconds} s${reason}`);
  }
  for (const { status, storeFailure } of partitions) {
    const { topic, partition, stopped: stop } = status;
    if (stop !== undefined) found.push(`${stop.code}: ${stop.message}`);
    else if (storeFailure !== undefined)
      found.push(`Kafka: ${topic}/${partition} can't be stored: ${storeFailure}`);
  }
  return found;
}
