import { describe, expect, test } from 'vitest';
import { findNotReadyReasons, type IngestHealth } from '../../../src/ingest/kafka/not-ready.ts';
import type { IngestStop, PartitionStatus } from '../../../src/ingest/kafka/status.ts';

const stop: IngestStop = { code: 'SOURCE_BEHIND_STORE', message: 'audit.events/0 ends at 2' };
const healthy: IngestHealth = {
  stopped: undefined,
  rebalances: 1,
  membership: { state: 'stable', unconfirmedMs: 100, problem: undefined },
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 15_000,
  partitions: [],
};
const partition = (stopped?: IngestStop, storeFailure?: string) => {
  const status: PartitionStatus = {
    ...{ topic: 'audit.events', partition: 0, position: 1, end: 2, lag: 1, failing: undefined },
    stopped,
  };
  return { status, storeFailure };
};

test('a stable member whose partitions are stored is ready', () => {
  expect(findNotReadyReasons({ ...healthy, partitions: [partition()] })).toEqual([]);
});

test('before its first assignment, a replica is not ready, and names the last error of the group', () => {
  const membership = { state: 'joining', unconfirmedMs: 100, problem: 'GROUP_AUTHORIZATION_FAILED' } as const;
  expect(findNotReadyReasons({ ...healthy, rebalances: 0, membership })).toEqual([
    'Kafka: this replica is not a member of its group yet: GROUP_AUTHORIZATION_FAILED',
  ]);
});

describe('a coordinator that does not answer', () => {
  const silent = (state: 'stable' | 'rejoining', unconfirmedMs: number) =>
    findNotReadyReasons({ ...healthy, membership: { state, unconfirmedMs, problem: undefined } });

  test('is an obstacle once the session of a stable member has ended', () => {
    expect(silent('stable', 10_000)).toEqual([]);
    expect(silent('stable', 12_000)).toEqual([
      'Kafka: the coordinator of the group has not answered for 12 s',
    ]);
  });

  test('may take the time of a rebalance longer for a member that joins again', () => {
    expect(silent('rejoining', 25_000)).toEqual([]);
    expect(silent('rejoining', 26_000)).toHaveLength(1);
  });
});

test('each partition that is stopped or can not be stored is an obstacle', () => {
  const partitions = [partition(stop, '40P01'), partition(undefined, 'STORE_UNAVAILABLE')];
  expect(findNotReadyReasons({ ...healthy, partitions })).toEqual([
    'SOURCE_BEHIND_STORE: audit.events/0 ends at 2',
    "Kafka: audit.events/0 can't be stored: STORE_UNAVAILABLE",
  ]);
});

test('the reason for which all partitions are stopped is the only one', () => {
  expect(findNotReadyReasons({ ...healthy, stopped: stop, partitions: [partition(stop)] })).toEqual([
    'SOURCE_BEHIND_STORE: audit.events/0 ends at 2',
  ]);
});
